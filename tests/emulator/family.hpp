// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/emulator/ftp_client.hpp"
#include "tests/emulator/quirks.hpp"
#include "tests/emulator/text.hpp"

namespace emulator {

class Modem;

/// What a module says about itself.
struct Identity {
    std::string manufacturer;
    std::string model;
    std::string revision;
    std::vector<std::string> ati;
    std::vector<std::string> banner;  ///< printed after a boot, one line each
};

/// One family of modules: its own commands, on top of what Modem does for all. Main thread.
class Family {
public:
    explicit Family(Modem& modem) : modem_(modem) {}
    Family(const Family&) = delete;
    Family& operator=(const Family&) = delete;
    virtual ~Family() = default;

    [[nodiscard]] virtual Identity identity() const = 0;
    /// Runs a command and ends it with Modem::ok() or error(), now or later. False: unknown here.
    /// Is asked before the generic commands, so a family may replace any of them.
    virtual bool execute(const Command& command) = 0;
    /// Bytes of the host in data mode (Modem::enter_data_mode()).
    virtual void data(std::string_view /*bytes*/) {}
    /// `+++` with its guard times, or DTR dropped, in data mode.
    virtual void escape() {}
    virtual void dtr_dropped() {}
    /// Called whenever the line or the FTP side moved: the place to bring payload along.
    virtual void pump() {}
    /// The network has taken the bearer (and every connection) away.
    virtual void bearer_lost() {}
    virtual void ftp_trace(const FtpTrace& /*trace*/) {}

protected:
    Modem& modem_;
};

/// One row of the registry.
struct FamilyEntry {
    std::string_view name;
    std::unique_ptr<Family> (*make)(Modem&);
    std::span<const Quirk> quirks;
};

std::span<const FamilyEntry> families();
/// nullptr when there is none.
const FamilyEntry* find_family(std::string_view name);

}  // namespace emulator
