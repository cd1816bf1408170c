// SPDX-License-Identifier: MIT
#include "tests/emulator/modem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace emulator {

namespace {

constexpr milliseconds guard_time{900};  // a second, less what a scheduler may take away
constexpr milliseconds command_gap{20};
constexpr std::size_t longest_line = 2048;
/// Payload is brought along while less than this waits for the line.
constexpr std::size_t low_water = 4096;

/// Things that modules say unasked.
constexpr std::array noise_lines{
    "+CMTI: \"SM\",3", "+CTZV: +32",        "RING",       "+CREG: 1",
    "+CEREG: 1",       "^HCSQ: \"LTE\",45", "+CIEV: 2,4", "",
};

}  // namespace

Modem::Modem(Wire& wire, FtpClient& ftp, Timers& timers, Stats& stats, Log& log,
             const Quirks& quirks, const FamilyEntry& family, Settings settings)
    : wire_(wire),
      ftp_(ftp),
      timers_(timers),
      stats_(stats),
      log_(log),
      quirks_(quirks),
      entry_(family),
      settings_(std::move(settings)),
      random_(settings_.fault_seed),
      noise_random_(settings_.noise_seed),
      baud_(settings_.baud == 0 ? 115200 : settings_.baud),
      paced_(settings_.baud != 0) {
    start_up(false);
}

void Modem::start_up(bool banner) {
    ftp_.abort();
    family_ = entry_.make(*this);
    booting_ = false;
    mode_ = Mode::command;
    echo_ = settings_.echo;
    verbose_ = true;
    quiet_ = false;
    cmee_ = 0;
    functionality_ = 1;
    bearer_ = false;
    running_ = false;
    chain_.clear();
    typed_.clear();
    later_.clear();
    urcs_.clear();
    pluses_.clear();
    settings_read_.clear();
    wire_.hold_input(false);
    if (banner) {
        for (const auto& text : family_->identity().banner) {
            line(text);
        }
    }
}

void Modem::reboot(bool banner) {
    log_.note("the module restarts");
    ++stats_.reboots;
    ftp_.abort();
    wire_.drop_queues();
    urcs_.clear();
    booting_ = true;
    timers_.after(settings_.boot_time, [this, banner] { start_up(banner); });
}

// ---- from the host ---------------------------------------------------------------------------

void Modem::receive(std::string_view bytes) {
    if (booting_) {
        return;
    }
    while (!bytes.empty()) {
        if (mode_ == Mode::data) {
            take_data(bytes);
            return;
        }
        if (mode_ == Mode::block) {
            auto count = std::min(bytes.size(), block_size_ - block_.size());
            block_ += bytes.substr(0, count);
            bytes.remove_prefix(count);
            if (block_.size() == block_size_) {
                mode_ = Mode::command;
                stats_.line_payload_from_host += block_.size();
                auto done = std::exchange(block_done_, nullptr);
                done(std::exchange(block_, {}));
            }
            continue;
        }
        receive_command(bytes.front());
        bytes.remove_prefix(1);
    }
}

void Modem::receive_command(char c) {
    if (running_) {
        if (quirks_.is("busy", "queue")) {
            later_ += c;
        } else {
            ++stats_.swallowed_bytes;
        }
        return;
    }
    auto now = Clock::now();
    if (typed_.empty() && c != '\r' && c != '\n') {
        early_ = now < result_at_ + command_gap;
        stats_.early_commands += early_ ? 1 : 0;
    }
    typed_at_ = now;
    if (echo_ && !(early_ && quirks_.is("gap", "needed"))) {
        wire_.send({&c, 1});
    }
    if (c == '\r') {
        auto line = std::exchange(typed_, {});
        if (early_ && quirks_.is("gap", "needed")) {
            early_ = false;
            log_.note("swallowed: it came too soon after a final result");
            return;
        }
        run_line(std::move(line));
    } else if (c == '\b') {
        if (!typed_.empty()) {
            typed_.pop_back();
        }
    } else if (c != '\n' && typed_.size() < longest_line) {
        typed_ += c;
    }
}

// ---- command lines ---------------------------------------------------------------------------

void Modem::run_line(std::string line) {
    auto capitals = upper(line);
    if (trim(capitals) == "A/") {
        line = last_line_;
        capitals = upper(line);
    }
    auto start = capitals.find("AT");
    if (start == std::string::npos) {
        return;
    }
    last_line_ = line;
    auto commands = split_command_line(std::string_view(line).substr(start + 2));
    running_ = true;
    if (!commands) {
        error(cme::bad_parameters);
        return;
    }
    if (commands->empty()) {
        ++stats_.at_commands["AT"];
        if (on_command) {
            on_command("AT");
        }
    }
    chain_.assign(commands->begin(), commands->end());
    run_next();
}

void Modem::run_next() {
    if (chain_.empty()) {
        result("OK", "0");
        return;
    }
    auto command = std::move(chain_.front());
    chain_.pop_front();
    run(command);
}

void Modem::run(const Command& command) {
    auto name = "AT" + command.name;
    ++stats_.at_commands[name];
    if (on_command) {
        on_command(name);
    }
    if (booting_ || wire_.silent()) {
        running_ = false;
        chain_.clear();
        return;
    }
    if (!command.arguments && command.kind == Command::Kind::set) {
        error(cme::bad_parameters);
    } else if (!family_->execute(command) && !generic(command)) {
        error(cme::not_supported);
    }
}

void Modem::ok() {
    if (running_) {
        run_next();
    }
}

void Modem::error(int cme_code) {
    if (!running_) {
        return;
    }
    chain_.clear();
    if (cmee_ == 0) {
        result("ERROR", "4");
        return;
    }
    static const std::map<int, std::string_view> in_words = {
        {3, "operation not allowed"},
        {4, "operation not supported"},
        {10, "SIM not inserted"},
        {11, "SIM PIN required"},
        {12, "SIM PUK required"},
        {16, "incorrect password"},
        {20, "memory full"},
        {24, "text string too long"},
        {30, "no network service"},
        {50, "Incorrect parameters"},
        {2002, "TCPIP dns convert to ip fail"},
        {2004, "TCPIP invalid operation"},
        {2012, "TCPIP socket connect fail"},
        {2031, "TCPIP mipcall not active"},
    };
    auto found = in_words.find(cme_code);
    bool text = (cmee_ == 2 || quirks_.is("cme-text", "yes")) && found != in_words.end();
    auto words =
        fmt::format("+CME ERROR: {}", text ? std::string(found->second) : std::to_string(cme_code));
    result(words, words);
}

void Modem::result(std::string_view text, std::string_view numeric) {
    running_ = false;
    result_at_ = Clock::now();
    if (quiet_) {
        return;
    }
    std::string out = verbose_ ? fmt::format("\r\n{}\r\n", text) : fmt::format("{}\r", numeric);
    if (std::exchange(garble_, false)) {
        auto at = out.find_first_not_of("\r\n");
        out[at + random_() % (out.find_last_not_of("\r\n") - at + 1)] ^= 0x2A;
        log_.note("a result line is garbled");
    }
    noise();
    wire_.send(out);
    noise();
    auto later = std::exchange(later_, {});
    if (!later.empty()) {
        timers_.after(milliseconds(0), [this, later] { receive(later); });
    }
}

// ---- to the host -----------------------------------------------------------------------------

std::string Modem::tag(std::string_view name) {
    bool blank = quirks_.is("blank", "yes") || (quirks_.is("blank", "mixed") && chance(2));
    return fmt::format("{}:{}", name, blank ? " " : "");
}

void Modem::answer(std::string_view text) {
    noise();
    wire_.send(verbose_ ? fmt::format("\r\n{}\r\n", text) : fmt::format("{}\r\n", text));
}

void Modem::line(std::string_view text, Lead lead) {
    wire_.send(fmt::format("{}{}\r\n", lead == Lead::lf ? "\n" : "\r\n", text));
}

bool Modem::may_speak() const {
    // A host that stopped in the middle of a line does not silence the module for ever.
    bool typing = !typed_.empty() && Clock::now() < typed_at_ + std::chrono::seconds(1);
    return mode_ != Mode::block && !typing && !running_ && !booting_;
}

void Modem::urc(std::string_view text, Lead lead) {
    if (wire_.silent() || booting_) {
        return;
    }
    urcs_.push_back(fmt::format("{}{}\r\n", lead == Lead::lf ? "\n" : "\r\n", text));
    if (mode_ == Mode::command && may_speak()) {
        flush_urcs();
    }
}

void Modem::flush_urcs() {
    while (!urcs_.empty()) {
        noise();
        wire_.send(urcs_.front());
        urcs_.pop_front();
    }
}

void Modem::noise() {
    if (!settings_.noise || mode_ != Mode::command || noise_going_ || noise_random_() % 4 != 0) {
        return;
    }
    noise_going_ = true;
    ++stats_.noise_urcs;
    line(noise_lines[noise_random_() % noise_lines.size()],
         noise_random_() % 4 == 0 ? Lead::lf : Lead::crlf);
    noise_going_ = false;
}

void Modem::flood(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
        urc(noise_lines[i % (noise_lines.size() - 1)]);
    }
}

void Modem::pump() {
    if (booting_ || wire_.silent()) {
        return;
    }
    if (wire_.queued() < low_water) {
        family_->pump();
    }
    if (mode_ == Mode::command && may_speak()) {
        flush_urcs();
    }
}

// ---- data mode -------------------------------------------------------------------------------

void Modem::enter_data_mode() {
    mode_ = Mode::data;
    pluses_.clear();
    data_at_ = Clock::now();
}

void Modem::leave_data_mode() {
    mode_ = Mode::command;
    typed_.clear();
    timers_.cancel(std::exchange(escape_timer_, 0));
    pluses_.clear();
}

void Modem::expect_block(std::size_t count, std::function<void(std::string)> done) {
    mode_ = Mode::block;
    block_size_ = count;
    block_.clear();
    block_done_ = std::move(done);
}

void Modem::take_data(std::string_view bytes) {
    auto now = Clock::now();
    bool quiet_before = now >= data_at_ + guard_time;
    data_at_ = now;
    timers_.cancel(std::exchange(escape_timer_, 0));
    bool candidate = bytes.find_first_not_of('+') == std::string_view::npos &&
                     pluses_.size() + bytes.size() <= 3 && (quiet_before || !pluses_.empty());
    if (candidate) {
        pluses_ += bytes;
        if (pluses_.size() == 3) {
            escape_timer_ = timers_.after(guard_time, [this] { escape_seen(); });
        }
        return;
    }
    auto held = std::exchange(pluses_, {});
    if (!held.empty()) {
        family_->data(held);
    }
    if (mode_ == Mode::data) {
        family_->data(bytes);
    } else {
        receive(bytes);
    }
}

void Modem::escape_seen() {
    escape_timer_ = 0;
    pluses_.clear();
    log_.note("+++ with its guard times");
    if (mode_ == Mode::data && quirks_.is("plus", "abort")) {
        family_->escape();
    }
}

// ---- the world outside -----------------------------------------------------------------------

int Modem::service_error() const {
    switch (sim_) {
        case Sim::absent:
            return cme::sim_missing;
        case Sim::pin:
            return cme::pin_required;
        case Sim::puk:
            return cme::puk_required;
        case Sim::ready:
            break;
    }
    bool registered = (registration_ == 1 || registration_ == 5) && functionality_ == 1;
    return registered ? 0 : cme::no_service;
}

std::string Modem::context(std::uint64_t id) const {
    auto found = contexts_.find(id);
    return found == contexts_.end() ? "" : found->second;
}

void Modem::set_sim(Sim sim) {
    sim_ = sim;
    if (service_error() != 0) {
        drop_bearer();
    }
}

void Modem::set_registration(int state) {
    registration_ = state;
    for (const auto* name : {"+CREG", "+CGREG", "+CEREG"}) {
        auto found = settings_read_.find(name);
        if (found != settings_read_.end() && found->second != "0") {
            urc(fmt::format("{}{}", tag(name), state));
        }
    }
    if (service_error() != 0) {
        drop_bearer();
    }
}

void Modem::drop_bearer() {
    if (!bearer_) {
        return;
    }
    bearer_ = false;
    log_.note("the bearer is lost");
    ftp_.abort();
    family_->bearer_lost();
}

void Modem::drop_dtr() {
    log_.note("DTR dropped");
    family_->dtr_dropped();
}

void Modem::line_lost() {
    typed_.clear();
    wire_.drop_queues();
}

}  // namespace emulator
