// SPDX-License-Identifier: MIT
#include "modem/ftp/types.hpp"

#include <algorithm>

namespace modem {
namespace {

bool is_forbidden(char byte) {
    const auto value = static_cast<unsigned char>(byte);
    return value < 0x20 || value == 0x7f || byte == '"';
}

Result<void> check_bytes(std::string_view text) {
    if (std::any_of(text.begin(), text.end(), is_forbidden)) {
        return fail(Errc::invalid_name,
                    "a name with a control character or a quotation mark cannot be sent");
    }
    return {};
}

}  // namespace

Result<RemotePath> RemotePath::parse(std::string_view text) {
    CHECK(check_bytes(text));
    if (text.empty() || text.front() != '/') {
        return fail(Errc::invalid_name, "a remote path begins with '/'");
    }
    RemotePath path;
    path.text_.clear();
    while (!text.empty()) {
        text.remove_prefix(1);  // the '/' before the component
        const std::string_view component = text.substr(0, text.find('/'));
        text.remove_prefix(component.size());
        if (component == "..") {
            return fail(Errc::invalid_name, "a remote path does not contain '..'");
        }
        if (!component.empty() && component != ".") {
            path.text_ += '/';
            path.text_ += component;
        }
    }
    if (path.text_.empty()) {
        path.text_.push_back('/');
    }
    return path;
}

Result<RemotePath> RemotePath::child(std::string_view name) const {
    CHECK(check_bytes(name));
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string_view::npos) {
        return fail(Errc::invalid_name, "not the name of a directory entry");
    }
    RemotePath path;
    path.text_.reserve(text_.size() + 1 + name.size());
    if (!is_root()) {
        path.text_ = text_;
        path.text_ += '/';
    }
    path.text_ += name;
    return path;
}

RemotePath RemotePath::parent() const {
    RemotePath path;
    const std::size_t slash = text_.rfind('/');
    if (slash != 0) {
        path.text_ = text_.substr(0, slash);
    }
    return path;
}

std::string_view RemotePath::name() const {
    return std::string_view(text_).substr(text_.rfind('/') + 1);
}

bool RemotePath::is_within(const RemotePath& other) const {
    if (other.is_root() || *this == other) {
        return true;
    }
    return text_.size() > other.text_.size() && text_[other.text_.size()] == '/' &&
           text_.starts_with(other.text_);
}

bool RemotePath::has_glob() const {
    return text_.find_first_of("*?[]{}") != std::string::npos ||
           text_.find("/-") != std::string::npos;
}

}  // namespace modem
