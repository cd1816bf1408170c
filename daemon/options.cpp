// SPDX-License-Identifier: MIT
#include "daemon/options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>

#include "config/config.hpp"

namespace service {

std::variant<Options, int> parse_options(int argc, char** argv) {
    Options options;
    CLI::App app{"Mounts an FTP server that is reached through a cellular modem's AT commands.",
                 "modemftpd"};
    app.set_version_flag("--version", "modemftpd " MODEMFTP_VERSION, "Print the version and exit");
    app.add_option("--config", options.config, "Config file, see modemftp.toml(5)")
        ->required()
        ->type_name("FILE");
    const auto* name =
        app.add_option("--name", options.name, "Instance name (default: the config file's stem)")
            ->type_name("NAME");
    app.add_option("--state-dir", options.state_dir,
                   "What must survive (default: /var/lib/modemftp/NAME)")
        ->type_name("DIR");
    app.add_option("--cache-dir", options.cache_dir,
                   "What can be thrown away (default: /var/cache/modemftp/NAME)")
        ->type_name("DIR");
    std::string bus = "system";
    app.add_option("--bus", bus, "D-Bus to be reached on: system, session or none")
        ->check(CLI::IsMember({"system", "session", "none"}))
        ->type_name("BUS")
        ->capture_default_str();
    app.add_flag("--check", options.check, "Check the config and exit");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& outcome) {
        return app.exit(outcome) == 0 ? exit_ok : exit_usage;
    }
    options.bus = bus == "system"    ? BusKind::system
                  : bus == "session" ? BusKind::session
                                     : BusKind::none;
    const bool from_file = name->count() == 0;
    if (from_file) {
        options.name = options.config.stem().string();
    }
    if (!config::is_instance_name(options.name)) {
        fmt::print(stderr,
                   "modemftpd: the instance name \"{}\"{} is not letters, digits and '_', not "
                   "beginning with a digit; {}\n",
                   options.name, from_file ? ", taken from the config file's name," : "",
                   from_file ? "rename the file or give --name" : "give another --name");
        return exit_usage;
    }
    if (options.state_dir.empty()) {
        options.state_dir = "/var/lib/modemftp/" + options.name;
    }
    if (options.cache_dir.empty()) {
        options.cache_dir = "/var/cache/modemftp/" + options.name;
    }
    return options;
}

}  // namespace service
