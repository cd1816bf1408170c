// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "modem/fd.hpp"
#include "modem/ftp/dialect.hpp"
#include "modem/interrupt.hpp"
#include "modem/line/byte_stream.hpp"

namespace modem {

/// The other end of the line: answers the commands of bring-up and of FakeDialect from a thread of
/// its own, and can be told to answer otherwise, to be silent, to hang up and to be absent.
class FakeModem {
public:
    FakeModem();
    FakeModem(const FakeModem&) = delete;
    FakeModem& operator=(const FakeModem&) = delete;
    ~FakeModem();

    /// What WorkerSeams::open_line calls: a new line to this modem, unless it is absent.
    Result<std::unique_ptr<ByteStream>> connect();

    /// Looks at each command first: text is the answer ("" says nothing), nothing means as usual.
    using Hook = std::function<std::optional<std::string>(const std::string& command)>;
    void set_hook(Hook hook);
    void set_listing(std::vector<std::string> lines);
    void set_content(std::string content);
    [[nodiscard]] std::string stored() const;

    std::atomic<bool> silent{false};
    std::atomic<bool> absent{false};
    void say(const std::string& text);  ///< unasked, as a line
    void hang_up();

    [[nodiscard]] std::vector<std::string> commands() const;
    [[nodiscard]] std::size_t count(const std::string& prefix) const;
    void forget_commands();

private:
    void serve();
    void received(const std::string& line);
    std::string answer(const std::string& line);
    std::string read_answer(const std::string& arguments);
    void send(const std::string& text);
    mutable std::mutex mutex_;
    Fd fd_;
    Interrupt changed_;
    std::atomic<bool> stop_{false};
    Hook hook_;
    std::vector<std::string> commands_;
    std::vector<std::string> listing_;
    std::string content_;
    std::string stored_;
    std::thread thread_;
};

/// A small family that the fake modem speaks.
[[nodiscard]] DialectEntry fake_family();

}  // namespace modem
