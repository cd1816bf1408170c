// SPDX-License-Identifier: MIT
#include "daemon/service.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <utility>

#include "daemon/bus.hpp"
#include "daemon/notify.hpp"
#include "daemon/places.hpp"
#include "daemon/power.hpp"
#include "daemon/secrets.hpp"
#include "daemon/settings.hpp"
#include "daemon/status_line.hpp"
#include "fusefs/session.hpp"
#include "fusefs/storage.hpp"
#include "fusefs/volume.hpp"
#include "modem/job_queue.hpp"
#include "modem/worker.hpp"

namespace service {
namespace {

using modem::LinkStatus;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

/// Ending is what a person waits for: should a thread hang in the kernel, the process ends anyway.
/// What is durable stays so.
void limit_ending() {
    ::alarm(9);
}

/// From now on these signals do what they do to any program, so that a second one ends it at once.
void unblock_ending_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGTERM, SIGINT, SIGALRM}) {
        ::signal(number, SIG_DFL);
        sigaddset(&set, number);
    }
    ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace

struct Service::Body {
    Body(const Options& given_options, config::Config given_config, EventLoop& given_loop,
         Log& given_log)
        : options(given_options),
          config(std::move(given_config)),
          loop(given_loop),
          log(given_log),
          bus(loop, log, options.bus, options.name),
          power(loop, bus, log),
          storage(loop.post()),
          queue(loop.post()) {}

    const Options options;
    config::Config config;  ///< as it runs: what a reload could not apply is still the old one
    EventLoop& loop;
    Log& log;
    Notify notify;
    Bus bus;
    Power power;
    modem::Fd lock;
    fusefs::Storage storage;
    modem::JobQueue queue;
    std::unique_ptr<fusefs::Volume> volume;
    std::unique_ptr<fusefs::Session> session;
    std::unique_ptr<modem::Worker> worker;
    LinkStatus link;
    bool stopped = false;
    // Last: their callbacks use what stands above.
    Source fuse_source, second_timer, watchdog_timer, term, interrupt, hangup;

    modem::Result<void> start(modem::Secrets secrets);
    modem::Result<void> open_file_system();
    modem::Result<void> watch();
    void start_worker(modem::Secrets secrets);
    void bus_settled(const modem::Result<void>& outcome);
    void end(int code, const std::string& why);

    void on_link(const LinkStatus& status);
    void note_idle_keys();
    void on_requests();
    void on_second();
    void feed_watchdog();
    void reload();
    void apply(const config::Config& loaded);
    void show_status();
    [[nodiscard]] Activity activity() const;
    void stop();
};

modem::Result<void> Service::Body::start(modem::Secrets secrets) {
    log.notice(fmt::format("modemftpd {} starts: {} through {}", MODEMFTP_VERSION, config.ftp.host,
                           config.line.device));
    CHECK(watch());
    CHECK(open_file_system());
    log.info(fmt::format("mounted at {}", config.mount.path));
    show_status();
    start_worker(std::move(secrets));
    bus.start([this](const modem::Result<void>& outcome) { bus_settled(outcome); });
    return {};
}

modem::Result<void> Service::Body::open_file_system() {
    CHECK(make_directory(options.state_dir));
    CHECK(make_directory(options.cache_dir));
    TRY(lock, claim(options.state_dir));
    TRY(const std::string cleaned, prepare_mount_point(config.mount.path));
    if (!cleaned.empty()) {
        log.notice(cleaned);
    }
    TRY(volume, fusefs::Volume::open(
                    config, queue, storage, {options.state_dir, options.cache_dir},
                    [this](int level, const std::string& text) { log.write(level, text); }));
    TRY(session, fusefs::Session::mount(*volume, config));
    TRY(fuse_source, loop.watch(session->fd(), EPOLLIN, [this](std::uint32_t) { on_requests(); }));
    return {};
}

modem::Result<void> Service::Body::watch() {
    TRY(term, loop.on_signal(SIGTERM, [this] { end(exit_ok, "SIGTERM: ending"); }));
    TRY(interrupt, loop.on_signal(SIGINT, [this] { end(exit_ok, "SIGINT: ending"); }));
    TRY(hangup, loop.on_signal(SIGHUP, [this] { reload(); }));
    TRY(second_timer, loop.every(1s, [this] { on_second(); }));
    if (const milliseconds limit = Notify::watchdog_time(); limit > 0ms) {
        TRY(watchdog_timer, loop.every(limit / 3, [this] { feed_watchdog(); }));
    }
    return {};
}

void Service::Body::start_worker(modem::Secrets secrets) {
    modem::WorkerEvents events;
    events.status = [this](const LinkStatus& status) { on_link(status); };
    events.log = [this](int level, const std::string& text) { log.write(level, text); };
    events.power_cycle = [this] { power.cycle(config.modem); };
    worker = std::make_unique<modem::Worker>(config, std::move(secrets), queue, loop.post(),
                                             std::move(events), volume->hidden_listing());
    worker->start();
}

void Service::Body::bus_settled(const modem::Result<void>& outcome) {
    if (!outcome && outcome.error().code == modem::Errc::exists) {
        log.error(outcome.error().what);
        end(exit_failed, "ending");
        return;
    }
    notify.ready();
}

void Service::Body::end(int code, const std::string& why) {
    log.notice(why);
    loop.exit(code);
}

void Service::Body::on_link(const LinkStatus& status) {
    const LinkStatus before = std::exchange(link, status);
    volume->link_changed(link);
    if (link.state != before.state) {  // what matters about it the worker has said
        log.write(LOG_DEBUG, fmt::format("link: {}", name(link.state)),
                  {{"DIALECT", link.dialect}});
    }
    if (link.capabilities && !before.capabilities) {
        note_idle_keys();
    }
    show_status();
}

/// Keys for modules that cannot list mean nothing to one that can, and should not pass in silence.
void Service::Body::note_idle_keys() {
    const config::Ftp& ftp = config.ftp;
    if (link.capabilities && link.capabilities->list &&
        (!ftp.known_files.empty() || ftp.ask_unknown || !ftp.index_file.empty())) {
        log.notice(
            "the module lists directories: ftp.known-files, ftp.ask-unknown and "
            "ftp.index-file have no effect");
    }
}

void Service::Body::on_requests() {
    if (!session->process()) {
        end(exit_ok, fmt::format("{} was unmounted: ending", config.mount.path));
    }
}

void Service::Body::on_second() {
    queue.expire(config.link.timeout);
    volume->tick();
    show_status();
}

void Service::Body::feed_watchdog() {
    const auto limit = Notify::watchdog_time();
    const auto now = modem::Clock::now();
    if (now - worker->last_alive() < limit && now - storage.last_alive() < limit) {
        notify.alive();
    }
}

void Service::Body::reload() {
    notify.reloading();
    auto loaded = load_config(options.config);
    if (loaded) {
        apply(*loaded);
    } else {
        log.error(fmt::format("reload: {}; going on as before", loaded.error().message()));
    }
    notify.ready();
}

void Service::Body::apply(const config::Config& loaded) {
    for (const std::string& warning : loaded.warnings) {
        log.warning(warning);
    }
    const config::Changes changes = config::compare(config, loaded);
    config::apply_live(config, loaded);
    const int level = syslog_level(config.log.level);
    log.set_level(std::max(level, log.level()));  // what changed is told at the old level, too
    if (auto fresh = load_secrets(config)) {
        worker->set_secrets(std::move(fresh->secrets));
    } else {
        log.error(fmt::format("reload: {}; keeping the old one", fresh.error().message()));
    }
    worker->apply(config);
    volume->apply(config);
    if (std::ranges::find(changes.live, "log.trace") != changes.live.end()) {
        worker->set_trace_file(config.log.trace);
    }
    if (changes.live.empty() && changes.restart.empty()) {
        log.notice("reload: nothing has changed");
    }
    if (!changes.live.empty()) {
        log.notice(fmt::format("reload: applied {}", fmt::join(changes.live, ", ")));
    }
    if (!changes.restart.empty()) {
        log.warning(fmt::format("reload: {} changed and needs a restart",
                                fmt::join(changes.restart, ", ")));
    }
    log.set_level(level);
}

Activity Service::Body::activity() const {
    Activity now;
    bool uploading = false;
    for (const modem::JobPtr& job : queue.jobs()) {
        const bool store = job->kind() == modem::JobKind::store;
        if (job->state() == modem::Job::State::running) {
            now.running = {job->kind(), std::string(job->path().name()), job->transferred(),
                           job->total()};
            uploading = store;
        } else if (!store) {
            ++now.queued;  // stores are among the uploads below
        }
    }
    const std::size_t pending = volume->uploads().pending();
    now.queued += pending - std::min<std::size_t>(pending, uploading ? 1 : 0);
    now.failed = volume->uploads().failed();
    return now;
}

void Service::Body::show_status() {
    notify.status(status_line(link, activity()));
}

void Service::Body::stop() {
    if (std::exchange(stopped, true)) {
        return;
    }
    notify.stopping();
    notify.status("stopping");
    limit_ending();
    unblock_ending_signals();
    for (Source* source :
         {&hangup, &term, &interrupt, &second_timer, &watchdog_timer, &fuse_source}) {
        source->reset();
    }
    if (session) {
        session->unmount();
        if (session->was_busy()) {
            log.warning(fmt::format("{} was busy: it is unmounted as soon as nobody uses it",
                                    config.mount.path));
        }
    }
    queue.close();
    if (volume) {
        volume->close();
    }
    if (worker) {
        worker->stop();
    }
    // Completions of the jobs that were failed may still have something to write down.
    loop.run_posted();
    storage.close();
    loop.run_posted();
    if (volume) {
        const std::size_t pending = volume->uploads().pending();
        const std::size_t failed = volume->uploads().failed();
        log.notice(fmt::format("ended; {} {} queued, {} failed", pending,
                               pending == 1 ? "upload stays" : "uploads stay", failed));
    }
}

Service::Service(std::unique_ptr<Body> body) : body_(std::move(body)) {}

Service::~Service() {
    stop();
}

void Service::stop() {
    body_->stop();
}

modem::Result<std::unique_ptr<Service>> Service::start(const Options& options,
                                                       config::Config config,
                                                       modem::Secrets secrets, EventLoop& loop,
                                                       Log& log) {
    auto body = std::make_unique<Body>(options, std::move(config), loop, log);
    std::unique_ptr<Service> service(new Service(std::move(body)));
    CHECK(service->body_->start(std::move(secrets)));
    return service;
}

}  // namespace service
