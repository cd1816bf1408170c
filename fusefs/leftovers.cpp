// SPDX-License-Identifier: MIT
#include "fusefs/leftovers.hpp"

#include <algorithm>
#include <utility>

#include "fusefs/ask.hpp"
#include "fusefs/file.hpp"
#include "fusefs/ledger_write.hpp"

namespace fusefs {

using modem::Clock;
using modem::Errc;
using modem::Result;

namespace {

/// No name that a program can have made is of this kind, which marks the row as ours.
constexpr auto leftover_kind = modem::EntryKind::other;
constexpr std::chrono::seconds retry_after{30};

}  // namespace

Result<modem::RemotePath> Leftovers::name_in(const modem::RemotePath& directory, Ino ino) const {
    // Inode numbers begin anew with each start; the time keeps the names apart.
    return directory.child(core_.config->upload.temporary_prefix + "u" + std::to_string(ino) +
                           std::to_string(core_.now() % 10'000'000));
}

void Leftovers::add(const modem::RemotePath& path, std::weak_ptr<File> user) {
    auto leftover = std::make_shared<Leftover>();
    leftover->path = path;
    leftover->user = std::move(user);
    all_.push_back(std::move(leftover));
    write_ledger(core_, [text = path.text()](Ledger& ledger) {
        return ledger.put_name({text, leftover_kind, {}, 0});
    });
}

void Leftovers::restore(std::vector<Ledger::NameRow>& names) {
    std::erase_if(names, [this](const Ledger::NameRow& row) {
        if (row.kind != leftover_kind) {
            return false;
        }
        if (auto path = modem::RemotePath::parse(row.path)) {
            auto leftover = std::make_shared<Leftover>();
            leftover->path = *std::move(path);
            all_.push_back(std::move(leftover));
        }
        return true;
    });
}

void Leftovers::renamed(const std::string& from, const std::string& to) {
    for (const auto& leftover : all_) {
        const auto& text = leftover->path.text();
        if (text.starts_with(from + "/")) {
            if (auto moved = modem::RemotePath::parse(to + text.substr(from.size()))) {
                leftover->path = *std::move(moved);
            }
        }
    }
}

void Leftovers::tick() {
    if (!core_.link_up()) {
        return;
    }
    const auto now = Clock::now();
    for (const auto& leftover : all_) {
        const auto user = leftover->user.lock();
        const bool in_use = user && user->handles > 0;
        if (!in_use && !leftover->removing && leftover->next <= now) {
            remove(leftover);
        }
    }
}

void Leftovers::remove(const Place& leftover) {
    const auto remote = core_.remote(leftover->path);
    if (!remote) {
        return;
    }
    leftover->removing = true;
    core_.queue->submit(modem::RemoveRequest{*remote}, modem::Priority::background,
                        while_alive(core_, [this, leftover](const Result<modem::Answer>& answer) {
                            removed(leftover, answer);
                        }));
}

void Leftovers::removed(const Place& leftover, const Result<modem::Answer>& answer) {
    leftover->removing = false;
    if (!answer && answer.error().code != Errc::not_found &&
        answer.error().code != Errc::rejected) {
        leftover->next = Clock::now() + retry_after;
        return;
    }
    all_.remove(leftover);
    write_ledger(
        core_, [text = leftover->path.text()](Ledger& ledger) { return ledger.remove_name(text); });
}

}  // namespace fusefs
