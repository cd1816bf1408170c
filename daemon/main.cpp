// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <pthread.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>

#include "config/config.hpp"
#include "daemon/event_loop.hpp"
#include "daemon/log.hpp"
#include "daemon/options.hpp"
#include "daemon/secrets.hpp"
#include "daemon/service.hpp"
#include "daemon/settings.hpp"

namespace {

using service::exit_failed;
using service::exit_ok;
using service::exit_usage;

int check(const config::Config& config, const std::filesystem::path& file) {
    for (const std::string& warning : config.warnings) {
        fmt::print(stderr, "{}\n", service::printable(warning));
    }
    fmt::print("{}: good\n", file.string());
    return exit_ok;
}

/// What the whole process is: before any thread or file.
void set_up_process(const config::Config& config) {
    ::umask(077);
    ::signal(SIGPIPE, SIG_IGN);
    sigset_t loops;  // served by the event loop: a thread that had one unblocked would die of it
    sigemptyset(&loops);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
        sigaddset(&loops, number);
    }
    ::pthread_sigmask(SIG_BLOCK, &loops, nullptr);
    ::setenv("TZ", config.ftp.timezone.c_str(), 1);
    ::tzset();
}

int run(const service::Options& options, config::Config config, service::Log& log) {
    auto secrets = service::load_secrets(config);
    if (!secrets) {
        log.error(secrets.error().message());
        return exit_usage;
    }
    for (const auto& warnings : {config.warnings, secrets->warnings}) {
        for (const std::string& warning : warnings) {
            log.warning(warning);
        }
    }
    auto loop = service::EventLoop::create();
    if (!loop) {
        log.error(loop.error().what);
        return exit_failed;
    }
    auto daemon = service::Service::start(options, std::move(config), std::move(secrets->secrets),
                                          **loop, log);
    if (!daemon) {
        log.error(daemon.error().what);
        return exit_failed;
    }
    const auto code = (*loop)->run();
    if (!code) {
        log.error(code.error().what);
    }
    (*daemon)->stop();
    return code ? *code : exit_failed;
}

int start(int argc, char** argv) {
    const auto parsed = service::parse_options(argc, argv);
    if (const int* code = std::get_if<int>(&parsed)) {
        return *code;
    }
    const auto& options = std::get<service::Options>(parsed);
    auto config = service::load_config(options.config);
    if (!config) {
        fmt::print(stderr, "{}\n", service::printable(config.error().message()));
        return exit_usage;
    }
    if (options.check) {
        return check(*config, options.config);
    }
    set_up_process(*config);
    service::Log log("modemftpd", options.name);
    log.set_level(service::syslog_level(config->log.level));
    return run(options, *std::move(config), log);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return start(argc, argv);
    } catch (const std::exception& error) {  // a library's: out of memory, standard output closed
        std::fputs(error.what(), stderr);
        return exit_failed;
    }
}
