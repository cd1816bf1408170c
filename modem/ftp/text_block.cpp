// SPDX-License-Identifier: MIT
#include "modem/ftp/text_block.hpp"

namespace modem {
namespace {

constexpr char etx = 0x03;
constexpr char dle = 0x10;
constexpr std::size_t longest_line = 16384;

// Cuts bytes into lines, whatever way they arrive.
class LineCutter {
public:
    // True when `byte` ended a line that is not blank.
    bool take(char byte) {
        if (escaped_) {
            escaped_ = false;
            if (byte != dle && byte != etx) {
                text_ += dle;  // not an escape: this firmware sends its listings raw
            } else {
                text_ += byte;
                return false;
            }
        }
        if (byte == dle) {
            escaped_ = true;
            return false;
        }
        if (byte != '\n' && byte != etx) {
            text_ += byte;
            return false;
        }
        while (!text_.empty() && text_.back() == '\r') {
            text_.pop_back();
        }
        return !text_.empty();
    }
    [[nodiscard]] const std::string& text() const { return text_; }
    void next() { text_.clear(); }

private:
    std::string text_;
    bool escaped_ = false;
};

}  // namespace

Result<void> read_text_block(Channel& channel,
                             const std::function<Result<bool>(std::string_view)>& line,
                             milliseconds silence) {
    LineCutter cutter;
    const auto scanner = [&](std::span<const char> bytes) -> Result<Channel::Taken> {
        for (std::size_t index = 0; index < bytes.size(); ++index) {
            if (!cutter.take(bytes[index])) {
                continue;
            }
            TRY(const bool more, line(cutter.text()));
            cutter.next();
            if (!more) {
                return Channel::Taken{index + 1, false};
            }
        }
        if (cutter.text().size() > longest_line) {
            return fail(Errc::too_large, "a line of a listing has no end");
        }
        return Channel::Taken{bytes.size(), true};
    };
    return channel.scan(scanner, silence);
}

}  // namespace modem
