// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "daemon/status_line.hpp"

namespace service {
namespace {

using modem::JobKind;
using modem::LinkState;
using modem::LinkStatus;

LinkStatus link(LinkState state) {
    LinkStatus status;
    status.state = state;
    return status;
}

TEST(StatusLine, SaysWhatGoesOn) {
    EXPECT_EQ(status_line(link(LinkState::ready), {}), "ready: idle");
    EXPECT_EQ(status_line(link(LinkState::session),
                          {Activity::Running{JobKind::store, "log.csv", 41, 100}, 2, 0}),
              "ready: 2 queued, uploading log.csv 41 %");
    EXPECT_EQ(status_line(link(LinkState::session),
                          {Activity::Running{JobKind::retrieve, "fw.bin", 12'345, 0}, 0, 1}),
              "ready: 1 failed upload, downloading fw.bin 12 KiB");
    EXPECT_EQ(
        status_line(link(LinkState::session), {Activity::Running{JobKind::list, "", 0, 0}, 0, 2}),
        "ready: 2 failed uploads, listing /");
    EXPECT_EQ(status_line(link(LinkState::registering), {{}, 3, 0}), "registering: 3 queued");
}

TEST(StatusLine, AFileThatGrewIsNotMoreThanComplete) {
    EXPECT_EQ(status_line(link(LinkState::session),
                          {Activity::Running{JobKind::store, "a", 300, 200}, 0, 0}),
              "ready: uploading a 100 %");
}

TEST(StatusLine, SaysWhyTheLinkIsNotUp) {
    LinkStatus status = link(LinkState::failed);
    status.last_error = modem::Error{modem::Errc::pin_required, 11, "the SIM wants its PIN"};
    EXPECT_EQ(status_line(status, {{}, 1, 0}), "failed: 1 queued, the SIM wants its PIN");
    status.state = LinkState::probing;
    status.recovering = "soft reset";
    status.last_error.reset();
    EXPECT_EQ(status_line(status, {}), "probing: recovering (soft reset)");
}

}  // namespace
}  // namespace service
