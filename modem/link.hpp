// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "modem/bring_up.hpp"
#include "modem/ladder.hpp"
#include "modem/watched_stream.hpp"
#include "modem/worker_context.hpp"

namespace modem {

/// The way from a closed device to an open FTP session, in stages that can be climbed and fallen
/// down from. Owns line, channel and dialect. Modem thread only.
class Link {
public:
    explicit Link(WorkerContext& context);
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    ~Link();

    // ---- up ----
    /// From wherever the link is to an active bearer. Errors: the first failure; needs_person()
    /// tells whether trying again is of any use.
    Result<void> bring_up();
    /// Opens the FTP session if there is none.
    Result<void> ensure_session();
    [[nodiscard]] bool is_up() const { return stage_ == Stage::attached; }
    [[nodiscard]] bool has_session() const { return session_; }
    [[nodiscard]] bool line_is_open() const { return stage_ != Stage::closed; }
    [[nodiscard]] bool needs_person() const { return needs_person_; }
    [[nodiscard]] Dialect& dialect() { return *dialect_; }
    [[nodiscard]] Channel& channel() { return *channel_; }
    [[nodiscard]] Trace& trace() { return trace_; }

    // ---- down ----
    void end_session();     ///< logs out
    void forget_session();  ///< it ended without us
    void drop_bearer();
    void forget_bearer();
    void forget_module();  ///< it has to be synchronised and identified again
    void soft_reset();
    void close_line();
    /// The next line opened leads to a module that is only starting.
    void expect_boot() { booting_ = true; }
    /// Logs out and closes before `end`, whatever state the line is in.
    void say_goodbye(Clock::time_point end);

    // ---- between and during operations ----
    /// Around an operation: URCs that end session, bearer or module then interrupt it.
    void begin_operation();
    void end_operation();
    /// The way back to command mode after a failed operation.
    Result<void> recover();
    /// An operation was broken off and there is no time to clear up: say_goodbye() will.
    void leave_unsettled() { unsettled_ = true; }
    /// The server has answered in this session.
    void note_answer() { last_answer_ = Clock::now(); }
    /// How long ago that was.
    [[nodiscard]] Clock::duration silence() const { return Clock::now() - last_answer_; }
    /// What a URC has told since the last call.
    std::optional<Error> take_loss();
    /// Applies what a failure says about the stage.
    void degrade(const Error& error);
    /// Listens for URCs while nothing is to be done. Errors: cancelled, line_lost.
    Result<void> listen(Clock::time_point until);

private:
    enum class Stage { closed, open, identified, attached };

    Result<void> open_line();
    Result<void> meet_module();
    Result<void> run_init_commands(const config::Config& config);
    Result<void> attach();
    Result<void> log_in();
    bool heard(std::string_view line);
    tl::unexpected<Error> person_needed(Error error);
    void set_state(LinkState state);
    void publish_ready();

    WorkerContext& context_;
    Trace trace_;
    std::unique_ptr<WatchedStream> stream_;
    std::unique_ptr<Channel> channel_;
    std::unique_ptr<Dialect> dialect_;
    std::shared_ptr<const config::Config> config_;  ///< that the module was set up with
    Stage stage_ = Stage::closed;
    bool session_ = false;
    bool needs_person_ = false;
    bool booting_ = false;
    bool in_operation_ = false;
    bool unsettled_ = false;
    Clock::time_point last_answer_;
    std::optional<std::string> refused_pin_;
    std::optional<Error> loss_;
};

}  // namespace modem
