// SPDX-License-Identifier: MIT
#include "modem/link.hpp"

#include <fmt/core.h>

#include <utility>

#include "modem/at/parse.hpp"

namespace modem {
namespace {

Server server_of(const config::Config& config, const Secrets& secrets) {
    return Server{.host = config.ftp.host,
                  .port = config.ftp.port,
                  .user = config.ftp.user,
                  .password = secrets.ftp_password,
                  .passive = config.ftp.mode == config::FtpMode::passive,
                  .security = config.ftp.security,
                  .encoding = config.ftp.encoding};
}

}  // namespace

Link::Link(WorkerContext& context) : context_(context) {}

Link::~Link() {
    close_line();
}

void Link::set_state(LinkState state) {
    context_.publish([&](LinkStatus& status) { status.state = state; });
}

tl::unexpected<Error> Link::person_needed(Error error) {
    needs_person_ = true;
    return fail(std::move(error));
}

Result<void> Link::bring_up() {
    needs_person_ = false;
    if (stage_ == Stage::closed) {
        CHECK(open_line());
    }
    channel_->set_interrupt(&context_.attention);
    if (stage_ == Stage::open) {
        CHECK(meet_module());
    }
    if (stage_ == Stage::identified) {
        auto attached = attach();
        if (!attached && attached.error().code == Errc::pin_required) {
            return person_needed(std::move(attached).error());
        }
        CHECK(attached);
    }
    publish_ready();
    return {};
}

void Link::publish_ready() {
    context_.queue.set_link_error({Errc::timed_out, 0, "the modem does not answer"});
    context_.publish([&](LinkStatus& status) {
        status.state = session_ ? LinkState::session : LinkState::ready;
        status.recovering.clear();
    });
}

Result<void> Link::open_line() {
    config_ = context_.config();
    set_state(LinkState::opening);
    auto stream = context_.seams.open_line(config_->line, context_.attention);
    if (!stream) {
        if (stream.error().code == Errc::invalid_argument) {
            return person_needed(std::move(stream).error());
        }
        return fail(std::move(stream).error());
    }
    stream_ = std::make_unique<WatchedStream>(*std::move(stream), context_.seams.timing.slice,
                                              [this] { context_.alive(); });
    channel_ = std::make_unique<Channel>(*stream_, trace_, context_.counters);
    channel_->set_default_timeout(config_->link.command_timeout);
    channel_->set_urc_handler([this](std::string_view line) { return heard(line); });
    channel_->set_progress_handler([this] {
        if (in_operation_) {
            context_.queue.note_progress();
        }
    });
    context_.set_channel(channel_.get());
    stage_ = Stage::open;
    const std::string described = stream_->describe();
    context_.publish([&](LinkStatus& status) { status.line = described; });
    context_.log(6, fmt::format("line open: {}", described));
    return {};
}

Result<void> Link::meet_module() {
    config_ = context_.config();
    set_state(LinkState::probing);
    const WorkerTiming& timing = context_.seams.timing;
    dialect_.reset();
    channel_->set_error_codes({});
    loss_.reset();
    CHECK(bring_up::synchronise(*channel_, timing, booting_ ? timing.boot : milliseconds(0)));
    booting_ = false;
    TRY(const Identity identity, bring_up::identify(*channel_));
    auto family = bring_up::choose_family(*channel_, identity, context_.seams.families,
                                          config_->modem.dialect);
    if (!family) {
        if (family.error().code == Errc::not_supported) {
            return person_needed(std::move(family).error());
        }
        return fail(std::move(family).error());
    }
    dialect_ = (*family)->make(*channel_, *config_);
    channel_->set_error_codes(dialect_->error_codes());
    const Capabilities capabilities = dialect_->capabilities();
    context_.publish([&](LinkStatus& status) {
        status.identity = identity;
        status.dialect = (*family)->name;
        status.capabilities = capabilities;
    });
    if (auto fits = bring_up::check_fit(*config_, capabilities); !fits) {
        return person_needed(std::move(fits).error());
    }
    CHECK(dialect_->prepare());
    CHECK(run_init_commands(*config_));
    stage_ = Stage::identified;
    return {};
}

Result<void> Link::run_init_commands(const config::Config& config) {
    for (const std::string& line : config.modem.init) {
        const auto answer = channel_->command(Command::verbatim(line));
        if (!answer) {
            Error error = answer.error();
            error.what = fmt::format("the module refused \"{}\" of `modem.init`: {}",
                                     printable(line), error.what);
            return fail(std::move(error));
        }
    }
    return {};
}

Result<void> Link::attach() {
    const WorkerTiming& timing = context_.seams.timing;
    const Secrets secrets = context_.secrets();
    set_state(LinkState::sim);
    CHECK(
        bring_up::unlock_sim(*channel_, secrets.sim_pin, refused_pin_, timing, context_.attention));
    set_state(LinkState::registering);
    CHECK(bring_up::await_registration(*channel_, timing, context_.attention));
    TRY(const int signal, bring_up::signal_quality(*channel_));
    TRY(const std::string network, bring_up::operator_name(*channel_));
    context_.publish([&](LinkStatus& status) {
        status.state = LinkState::bearer;
        status.signal = signal;
        status.operator_name = network;
    });
    TRY(const std::string address, dialect_->open_bearer(Bearer{.apn = config_->modem.apn,
                                                                .user = config_->modem.apn_user,
                                                                .password = secrets.apn_password}));
    context_.publish([&](LinkStatus& status) { status.address = address; });
    if (const auto loss = take_loss(); loss && loss->code == Errc::module_restarted) {
        return fail(*loss);  // in the middle of all this: settings may be gone
    }
    stage_ = Stage::attached;
    return {};
}

Result<void> Link::ensure_session() {
    if (session_) {
        return {};
    }
    needs_person_ = false;
    auto opened = log_in();
    if (!opened) {
        if (opened.error().code == Errc::login_refused) {
            return person_needed(std::move(opened).error());
        }
        return opened;
    }
    session_ = true;
    last_answer_ = Clock::now();
    loss_.reset();
    set_state(LinkState::session);
    return {};
}

Result<void> Link::log_in() {
    const Server server = server_of(*context_.config(), context_.secrets());
    auto opened = dialect_->log_in(server);
    if (opened || damage_of(opened.error().code) != Damage::none) {
        return opened;
    }
    if (opened.error().code != Errc::refused) {
        return opened;
    }
    // A session that an earlier run left open hides behind a bare refusal.
    const auto ended = dialect_->log_out();
    dialect_->session_gone();
    return ended ? dialect_->log_in(server) : opened;
}

void Link::end_session() {
    if (session_) {
        (void)dialect_->log_out();
    }
    forget_session();
}

void Link::forget_session() {
    if (dialect_) {
        dialect_->session_gone();
    }
    if (std::exchange(session_, false) && is_up()) {
        set_state(LinkState::ready);
    }
}

void Link::forget_bearer() {
    forget_session();
    if (stage_ == Stage::attached) {
        stage_ = Stage::identified;
        context_.publish([](LinkStatus& status) { status.address.clear(); });
    }
}

void Link::drop_bearer() {
    const bool was_up = stage_ == Stage::identified || stage_ == Stage::attached;
    forget_bearer();
    if (was_up) {
        channel_->set_interrupt(&context_.attention);
        (void)dialect_->close_bearer();
    }
}

void Link::forget_module() {
    forget_bearer();
    if (stage_ == Stage::identified) {
        stage_ = Stage::open;
    }
}

void Link::soft_reset() {
    if (dialect_) {
        channel_->set_interrupt(&context_.attention);
        (void)dialect_->soft_reset();
    }
    forget_module();
    booting_ = true;
}

void Link::close_line() {
    if (stage_ == Stage::closed) {
        return;
    }
    session_ = false;
    stage_ = Stage::closed;
    dialect_.reset();
    context_.set_channel(nullptr);
    channel_.reset();
    stream_.reset();
    loss_.reset();
    in_operation_ = false;
    unsettled_ = false;
    context_.publish([](LinkStatus& status) {
        status.line.clear();
        status.address.clear();
        status.signal = 99;
    });
}

void Link::say_goodbye(Clock::time_point end) {
    if (stage_ == Stage::closed) {
        return;
    }
    stream_->set_end(end);
    channel_->set_interrupt(nullptr);
    if (session_ && (!unsettled_ || recover())) {
        end_session();
    }
    close_line();
}

void Link::begin_operation() {
    channel_->set_interrupt(&context_.queue.interrupt());
    channel_->set_default_timeout(context_.config()->link.command_timeout);
    in_operation_ = true;
}

void Link::end_operation() {
    in_operation_ = false;
    if (channel_) {
        channel_->set_interrupt(&context_.attention);
    }
}

Result<void> Link::recover() {
    if (stage_ == Stage::closed || !dialect_) {
        return fail(Errc::line_lost, "the line is closed");
    }
    TRY(const bool session_stands, dialect_->recover());
    if (!session_stands) {
        forget_session();
    }
    return {};
}

bool Link::heard(std::string_view line) {
    const UrcMeaning meaning = dialect_ ? dialect_->urc(line) : UrcMeaning::unknown;
    Errc code{};
    switch (meaning) {
        case UrcMeaning::unknown:
            return false;
        case UrcMeaning::ignored:
            return true;
        case UrcMeaning::session_lost:
            code = Errc::session_lost;
            break;
        case UrcMeaning::bearer_lost:
            code = Errc::bearer_lost;
            break;
        case UrcMeaning::restarted:
            code = Errc::module_restarted;
            break;
    }
    // The worst that was heard counts: a restart takes bearer and session along.
    if (!loss_ || damage_of(code) > damage_of(loss_->code)) {
        loss_ = Error{code, 0, fmt::format("the module said \"{}\"", printable(line))};
    }
    if (in_operation_) {
        context_.queue.interrupt().raise();
    }
    return true;
}

std::optional<Error> Link::take_loss() {
    return std::exchange(loss_, std::nullopt);
}

void Link::degrade(const Error& error) {
    switch (damage_of(error.code)) {
        case Damage::none:
        case Damage::unclear:
            break;
        case Damage::session:
            forget_session();
            break;
        case Damage::bearer:
            forget_bearer();
            break;
        case Damage::module:
            forget_module();
            booting_ = error.code == Errc::module_restarted;
            break;
        case Damage::line:
            close_line();
            break;
    }
}

Result<void> Link::listen(Clock::time_point until) {
    return channel_->listen(Wait{until, &context_.queue.interrupt()});
}

}  // namespace modem
