// SPDX-License-Identifier: MIT
// The commands of V.250 and 3GPP TS 27.007 that every family answers alike.
#include <fmt/format.h>

#include "tests/emulator/modem.hpp"

namespace emulator {

namespace {

using Kind = Command::Kind;

std::string sim_word(Modem::Sim sim) {
    switch (sim) {
        case Modem::Sim::pin:
            return "SIM PIN";
        case Modem::Sim::puk:
            return "SIM PUK";
        default:
            return "READY";
    }
}

}  // namespace

bool Modem::generic(const Command& command) {
    return generic_basic(command) || generic_identity(command) || generic_registration(command) ||
           generic_service(command) || generic_network(command);
}

bool Modem::generic_basic(const Command& command) {
    auto flag = [&](bool& target) {
        auto value = command.number_at(0, 0, 1, 0);
        if (!value) {
            error(cme::bad_parameters);
            return true;
        }
        target = *value == 1;
        ok();
        return true;
    };
    if (command.is("E")) {
        return flag(echo_);
    }
    if (command.is("V")) {
        return flag(verbose_);
    }
    if (command.is("Q")) {
        return flag(quiet_);
    }
    if (command.is("Z") || command.is("&F")) {
        echo_ = settings_.echo;
        verbose_ = true;
        quiet_ = false;
        cmee_ = 0;
        ok();
        return true;
    }
    if (command.is("O")) {
        // Coming back to a connection after +++ works on no module measured.
        result("NO CARRIER", "3");
        return true;
    }
    if (command.is("&K") || command.is("&C") || command.is("&D") || command.is("&W") ||
        command.is("H") || command.is("X") || command.is("M") || command.is("L")) {
        ok();
        return true;
    }
    if (command.name.front() == 'S') {
        remembered(command, "(0-255)", "0");
        return true;
    }
    return false;
}

bool Modem::generic_identity(const Command& command) {
    auto self = family_->identity();
    auto say = [&](std::string_view text) {
        if (command.kind == Kind::execute) {
            answer(quirks_.is("id", "prefixed") ? fmt::format("{}\"{}\"", tag(command.name), text)
                                                : std::string(text));
        }
        ok();
        return true;
    };
    if (command.is("I")) {
        for (const auto& text : self.ati) {
            answer(text);
        }
        ok();
        return true;
    }
    if (command.is("+CGMI") || command.is("+GMI")) {
        return say(self.manufacturer);
    }
    if (command.is("+CGMM") || command.is("+GMM")) {
        return say(self.model);
    }
    if (command.is("+CGMR") || command.is("+GMR")) {
        return say(self.revision);
    }
    if (command.is("+CGSN") || command.is("+GSN")) {
        return say("860000000000017");
    }
    if (command.is("+CIMI")) {
        if (sim_ == Sim::absent) {
            error(cme::sim_missing);
            return true;
        }
        return say("001010000000001");
    }
    return false;
}

void Modem::remembered(const Command& command, std::string_view values, std::string_view fallback) {
    switch (command.kind) {
        case Kind::read: {
            auto found = settings_read_.find(command.name);
            auto value = found == settings_read_.end() ? std::string(fallback) : found->second;
            answer(command.name.front() == 'S' ? value : tag(command.name) + value);
            break;
        }
        case Kind::test:
            answer(tag(command.name) + std::string(values));
            break;
        case Kind::set:
            settings_read_[command.name] = command.text;
            break;
        case Kind::execute:
            break;
    }
    ok();
}

void Modem::command_cpin(const Command& command) {
    if (sim_ == Sim::absent) {
        error(cme::sim_missing);
        return;
    }
    if (command.kind == Kind::read) {
        answer(tag("+CPIN") + sim_word(sim_));
        ok();
        return;
    }
    if (command.kind != Kind::set) {
        ok();
        return;
    }
    if (sim_ == Sim::ready) {
        error(cme::not_allowed);
    } else if (sim_ == Sim::puk) {
        error(cme::puk_required);
    } else if (command.at(0).text != settings_.pin) {
        if (--pin_tries_ == 0) {
            sim_ = Sim::puk;
        }
        error(cme::wrong_password);
    } else {
        sim_ = Sim::ready;
        pin_tries_ = 3;
        ok();
    }
}

void Modem::command_cfun(const Command& command) {
    if (command.kind == Kind::read) {
        answer(fmt::format("{}{}", tag("+CFUN"), functionality_));
        ok();
        return;
    }
    if (command.kind == Kind::test) {
        answer(tag("+CFUN") + "(0,1,4,15),(0-1)");
        ok();
        return;
    }
    auto value = command.number_at(0, 0, 15);
    auto restart = command.number_at(1, 0, 1, 0);
    if (!value || !restart || (*value > 1 && *value != 4 && *value != 15)) {
        error(cme::bad_parameters);
        return;
    }
    if (*restart == 1 || *value == 15) {
        ok();
        // The OK still reaches the host, the restart comes a moment later.
        timers_.after(milliseconds(50), [this] { reboot(); });
        return;
    }
    functionality_ = static_cast<int>(*value);
    ok();
    if (service_error() != 0) {
        drop_bearer();
    }
}

void Modem::command_ipr(const Command& command) {
    if (command.kind == Kind::read) {
        answer(fmt::format("{}{}", tag("+IPR"), baud_));
        ok();
        return;
    }
    if (command.kind == Kind::test) {
        answer(tag("+IPR") + "(),(0,9600,19200,38400,57600,115200,230400,460800,921600)");
        ok();
        return;
    }
    auto value = command.number_at(0, 0, 4'000'000);
    if (!value) {
        error(cme::bad_parameters);
        return;
    }
    ok();
    baud_ = static_cast<unsigned>(*value);
    if (paced_ && baud_ != 0) {
        // The OK still goes out at the old rate.
        timers_.after(milliseconds(20), [this] { wire_.set_baud(baud_); });
    }
}

void Modem::command_cgdcont(const Command& command) {
    if (command.kind == Kind::read) {
        for (const auto& [id, text] : contexts_) {
            answer(fmt::format("{}{},{},\"\",0,0", tag("+CGDCONT"), id, text));
        }
        ok();
        return;
    }
    if (command.kind == Kind::test) {
        answer(tag("+CGDCONT") + "(1-7),\"IP\",,,(0-2),(0-4)");
        ok();
        return;
    }
    auto id = command.number_at(0, 1, 7);
    if (!id) {
        error(cme::bad_parameters);
        return;
    }
    if (command.count() == 1) {
        contexts_.erase(*id);
    } else {
        contexts_[*id] = fmt::format("\"{}\",\"{}\"", command.at(1).text, command.at(2).text);
    }
    ok();
}

bool Modem::generic_registration(const Command& command) {
    if (!command.is("+CREG") && !command.is("+CGREG") && !command.is("+CEREG")) {
        return false;
    }
    if (command.kind != Kind::read) {
        remembered(command, "(0-2)", "0");
        return true;
    }
    auto name = quirks_.is("creg-names", "creg") ? std::string("+CREG") : command.name;
    auto mode = settings_read_.contains(command.name) ? settings_read_[command.name] : "0";
    bool radio = functionality_ == 1 && sim_ == Sim::ready;
    answer(fmt::format("{}{},{}", tag(name), mode, radio ? registration_ : 0));
    ok();
    return true;
}

void Modem::command_cmee(const Command& command) {
    auto value = command.number_at(0, 0, 2, 0);
    if (command.kind == Kind::set && !value) {
        error(cme::bad_parameters);
        return;
    }
    if (command.kind == Kind::set) {
        cmee_ = static_cast<int>(*value);
    }
    settings_read_["+CMEE"] = std::to_string(cmee_);
    remembered(command, "(0-2)", "0");
}

/// Questions about the network, whose answer depends on there being one.
bool Modem::generic_service(const Command& command) {
    bool service = service_error() == 0;
    std::string text;
    if (command.is("+CSQ")) {
        text = service ? "23,99" : "99,99";
    } else if (command.is("+COPS")) {
        text = service ? "0,0,\"Emulated\",7" : "0";
    } else if (command.is("+CGATT")) {
        text = service ? "1" : "0";
    } else {
        return false;
    }
    if (command.is("+CSQ") ? command.kind == Kind::execute : command.kind == Kind::read) {
        answer(tag(command.name) + text);
    }
    ok();
    return true;
}

bool Modem::generic_network(const Command& command) {
    if (command.is("+CMEE")) {
        command_cmee(command);
    } else if (command.is("+CPIN")) {
        command_cpin(command);
    } else if (command.is("+CFUN")) {
        command_cfun(command);
    } else if (command.is("+IPR")) {
        command_ipr(command);
    } else if (command.is("+CGDCONT")) {
        command_cgdcont(command);
    } else if (command.is("+IFC")) {
        remembered(command, "(0,2),(0,2)", "0,0");
    } else if (command.is("+CSCS") || command.is("+CGACT") || command.is("+CTZU") ||
               command.is("+CNMI") || command.is("+CMGF")) {
        remembered(command, "(0-1)", "0");
    } else {
        return false;
    }
    return true;
}

}  // namespace emulator
