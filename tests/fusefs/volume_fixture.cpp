// SPDX-License-Identifier: MIT
#include "tests/fusefs/volume_fixture.hpp"

#include <fcntl.h>

#include <utility>

namespace fusefs {

using modem::Errc;
using modem::Result;

VolumeTest::VolumeTest() {
    auto pattern = (std::filesystem::temp_directory_path() / "modemftp-volume-XXXXXX").string();
    directory = ::mkdtemp(pattern.data());
    config.ftp.host = "ftp.test";
    queue = std::make_unique<modem::JobQueue>(loop.poster());
    server = std::make_unique<fakes::MemoryServer>(*queue);
}

VolumeTest::~VolumeTest() {
    stop();
    queue->close();
    server.reset();
    loop.run_posted();
    queue.reset();
    std::filesystem::remove_all(directory);
}

modem::Capabilities VolumeTest::capabilities() {
    modem::Capabilities all;
    for (const auto flag :
         {&modem::Capabilities::list, &modem::Capabilities::size,
          &modem::Capabilities::retrieve_offset, &modem::Capabilities::store,
          &modem::Capabilities::store_offset, &modem::Capabilities::remove,
          &modem::Capabilities::make_directory, &modem::Capabilities::remove_directory,
          &modem::Capabilities::rename, &modem::Capabilities::break_off_paced,
          &modem::Capabilities::eight_bit_names}) {
        all.*flag = true;
    }
    return all;
}

void VolumeTest::start(bool link_up) {
    storage = std::make_unique<Storage>(loop.poster());
    auto opened = Volume::open(config, *queue, *storage, {directory / "state", directory / "cache"},
                               [this](int, const std::string& line) { log.push_back(line); });
    ASSERT_TRUE(opened) << opened.error().what;
    volume = *std::move(opened);
    if (link_up) {
        link.capabilities = capabilities();
        set_link(modem::LinkState::session);
    }
}

void VolumeTest::stop() {
    if (!volume) {
        return;
    }
    volume->close();
    storage->close();
    loop.run_posted();
    volume.reset();
    storage.reset();
    loop.run_posted();
}

void VolumeTest::set_link(modem::LinkState state) {
    link.state = state;
    volume->link_changed(link);
}

namespace {

std::pair<std::string, std::string> split(const std::string& path) {
    const auto slash = path.rfind('/');
    return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

}  // namespace

Result<Ino> VolumeTest::walk(const std::string& path) {
    Ino ino = root_ino;
    std::string rest = path.substr(1);
    while (!rest.empty()) {
        const auto end = std::min(rest.find('/'), rest.size());
        const auto name = rest.substr(0, end);
        rest.erase(0, std::min(end + 1, rest.size()));
        TRY(ino,
            wait<Ino>([&](auto done) { volume->lookup(ino, name, nullptr, std::move(done)); }));
    }
    return ino;
}

Result<struct stat> VolumeTest::stat(const std::string& path) {
    TRY(const auto ino, walk(path));
    return wait<struct stat>([&](auto done) { volume->getattr(ino, nullptr, std::move(done)); });
}

Result<std::vector<std::string>> VolumeTest::list(const std::string& path) {
    TRY(const auto ino, walk(path));
    TRY(const auto handle, wait<std::shared_ptr<DirectoryHandle>>(
                               [&](auto done) { volume->opendir(ino, nullptr, std::move(done)); }));
    std::vector<std::string> names;
    for (std::size_t i = 2; i < handle->items.size(); ++i) {
        names.push_back(handle->items[i].name);
    }
    return names;
}

Result<void> VolumeTest::mkdir(const std::string& path) {
    const auto [parent, name] = split(path);
    TRY(const auto ino, walk(parent));
    if (const auto there = walk(path); !there && there.error().code != Errc::not_found) {
        return modem::fail(there.error());
    }
    TRY([[maybe_unused]] const auto made,
        wait<Ino>([&, n = name](auto done) { volume->mkdir(ino, n, nullptr, std::move(done)); }));
    return {};
}

Result<void> VolumeTest::rmdir(const std::string& path) {
    const auto [parent, name] = split(path);
    TRY(const auto ino, walk(parent));
    CHECK(walk(path));
    return wait<void>(
        [&, n = name](auto done) { volume->rmdir(ino, n, nullptr, std::move(done)); });
}

Result<void> VolumeTest::unlink(const std::string& path) {
    const auto [parent, name] = split(path);
    TRY(const auto ino, walk(parent));
    CHECK(walk(path));
    return wait<void>(
        [&, n = name](auto done) { volume->unlink(ino, n, nullptr, std::move(done)); });
}

Result<void> VolumeTest::rename(const std::string& from, const std::string& to, unsigned flags) {
    const auto [old_parent, old_name] = split(from);
    const auto [new_parent, new_name] = split(to);
    TRY(const auto a, walk(old_parent));
    TRY(const auto b, walk(new_parent));
    CHECK(walk(from));
    if (const auto target = walk(to); !target && target.error().code != Errc::not_found) {
        return modem::fail(target.error());
    }
    return wait<void>([&, n = old_name, m = new_name](auto done) {
        volume->rename(a, n, b, m, flags, nullptr, std::move(done));
    });
}

Result<HandlePtr> VolumeTest::open(const std::string& path, int flags) {
    TRY(const auto ino, walk(path));
    TRY(auto handle, wait<HandlePtr>([&](auto done) {
            volume->open_file(ino, flags, nullptr, std::move(done));
        }));
    handle->opener = next_pid++;
    return handle;
}

Result<HandlePtr> VolumeTest::create(const std::string& path, unsigned mode) {
    const auto [parent, name] = split(path);
    TRY(const auto ino, walk(parent));
    TRY(auto created, wait<Volume::Created>([&, n = name](auto done) {
            volume->create(ino, n, O_RDWR | O_CREAT, mode, nullptr, std::move(done));
        }));
    created.handle->opener = next_pid++;
    return created.handle;
}

Result<void> VolumeTest::write(const HandlePtr& handle, std::uint64_t offset,
                               const std::string& bytes) {
    TRY([[maybe_unused]] const auto count, wait<std::size_t>([&](auto done) {
            volume->files().write(handle, offset, bytes, std::move(done));
        }));
    return {};
}

Result<std::string> VolumeTest::read(const HandlePtr& handle, std::uint64_t offset,
                                     std::size_t size) {
    TRY(const auto got, wait<ReadResult>([&](auto done) {
            volume->files().read(handle, offset, size, true, nullptr, std::move(done));
        }));
    if (!got.file) {
        return std::string(got.bytes.begin(), got.bytes.end());
    }
    std::string bytes(got.length, '\0');
    TRY(const auto count, got.file->read(got.offset, bytes));
    bytes.resize(count);
    return bytes;
}

Result<void> VolumeTest::flush(const HandlePtr& handle) {
    return wait<void>([&](auto done) {
        volume->files().flush(handle, 77, handle->opener, nullptr, std::move(done));
    });
}

Result<void> VolumeTest::save(const std::string& path, const std::string& bytes) {
    auto handle = known(path) != nullptr ? open(path, O_WRONLY | O_TRUNC) : create(path);
    if (!handle) {
        return modem::fail(handle.error());
    }
    auto result = write(*handle, 0, bytes);
    if (result) {
        result = flush(*handle);
    }
    volume->files().release(*handle);
    return result;
}

Result<std::string> VolumeTest::load(const std::string& path) {
    TRY(const auto handle, open(path, O_RDONLY));
    std::string all;
    while (true) {
        const auto piece = read(handle, all.size(), 4096);
        if (!piece || piece->empty()) {
            volume->files().release(handle);
            return piece ? Result<std::string>(all) : modem::fail(piece.error());
        }
        all += *piece;
    }
}

Result<struct stat> VolumeTest::set(const std::string& path, const Volume::SetAttributes& what) {
    TRY(const auto ino, walk(path));
    return wait<struct stat>(
        [&](auto done) { volume->setattr(ino, what, nullptr, nullptr, std::move(done)); });
}

Errc VolumeTest::code(const Result<void>& result) {
    return result ? good() : result.error().code;
}

Node* VolumeTest::known(const std::string& path) {
    Ino ino = root_ino;
    Node* node = volume->node(ino);
    std::string rest = path.substr(1);
    while (node != nullptr && !rest.empty()) {
        const auto end = std::min(rest.find('/'), rest.size());
        const auto& children = node->directory->children;
        const auto found = children.find(rest.substr(0, end));
        node = found == children.end() ? nullptr : found->second;
        rest.erase(0, std::min(end + 1, rest.size()));
    }
    return node;
}

}  // namespace fusefs
