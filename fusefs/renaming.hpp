// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fusefs/volume_body.hpp"

namespace fusefs {

/// One rename(2), from the checks to the tree. Main thread; lives in the callbacks it waits for.
class Renaming : public std::enable_shared_from_this<Renaming> {
public:
    struct Names {
        Ino parent = 0;
        std::string name;
        Ino new_parent = 0;
        std::string new_name;
        unsigned flags = 0;
    };
    Renaming(Volume::Body& body, Names names, WaiterPtr waiter, Done<void> done);
    Renaming(const Renaming&) = delete;
    Renaming& operator=(const Renaming&) = delete;
    ~Renaming();
    void begin();

private:
    /// Both ends as they are now; nodes never survive a wait.
    struct Ends {
        Node* source = nullptr;
        Node* target = nullptr;  ///< nullptr: the new name is free
        Volume::Body::Place from;
        Volume::Body::Place to;
    };
    modem::Result<Ends> ends();
    modem::Result<void> check(const Ends& at) const;
    [[nodiscard]] std::string running_upload(const Ends& at) const;
    bool wait_for_uploads(const Ends& at);
    void settle_uploads();
    void choose_way(const Ends& at);
    void rename_directly(const Ends& at);
    void refused(modem::Error error);
    void make_room(const Ends& at);
    void put_aside(const Ends& at);
    void rename_into_room();
    void put_back(modem::Error error);
    void commit();
    void commit_names(const Ends& at);
    void finish(modem::Result<void> outcome);
    void submit(modem::Request request, bool interruptible,
                modem::UniqueFunction<void(modem::Result<modem::Answer>)> then);

    void hold(bool held);

    Volume::Body& body_;
    std::weak_ptr<bool> alive_;  ///< expired: body_ is gone
    Names names_;
    WaiterPtr waiter_;
    Done<void> done_;
    modem::RemotePath aside_;  ///< below the mount's root; the root: nothing was put aside
    std::weak_ptr<File> aside_user_;
    std::vector<modem::RemotePath> held_;  ///< paths whose uploads must not begin now
    bool room_made_ = false;               ///< the target was a directory that has been removed
    bool learning_ = false;                ///< renaming directly was refused
};

}  // namespace fusefs
