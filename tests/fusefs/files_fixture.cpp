// SPDX-License-Identifier: MIT
#include "tests/fusefs/files_fixture.hpp"

namespace fusefs {

FilesTest::~FilesTest() {
    stop();
    queue.close();
    loop.run_posted();
}

void FilesTest::start() {
    core = std::make_unique<Core>();
    core->config = &config;
    core->queue = &queue;
    core->storage = &storage;
    auto ledger = Ledger::open(directory.path() / "ledger.sqlite");
    auto spool = Spool::open(directory.path() / "spool", config.upload.spool_size);
    ASSERT_OK(ledger);
    ASSERT_OK(spool);
    core->ledger = *std::move(ledger);
    core->spool = *std::move(spool);
    core->log = [](int, const std::string&) {};
    core->now = [this] { return now; };
    modem::Capabilities all;
    all.list = all.size = all.time = all.retrieve_offset = all.store = all.store_offset = true;
    all.remove = all.make_directory = all.remove_directory = all.rename = true;
    all.break_off_paced = true;
    core->link.state = modem::LinkState::ready;
    core->link.capabilities = all;
    cache = std::make_unique<ContentCache>(storage, directory.path() / "cache", 1U << 20U);
    cache->load();
    uploads = std::make_unique<Uploads>(*core);
    files = std::make_unique<Files>(*core, *cache, *uploads);
    auto rows = core->ledger->uploads();
    ASSERT_OK(rows);
    for (const auto& row : *rows) {
        auto path = modem::RemotePath::parse(row.path);
        ASSERT_OK(path);
        auto* node = core->tree.at(*path);
        if (node == nullptr) {
            node = &core->tree.add(core->tree.root(), std::string(path->name()),
                                   modem::EntryKind::file);
            node->on_server = row.kind == UploadKind::append;
        }
        files->restore(*node, row);
    }
    uploads->restore(*std::move(rows));
}

void FilesTest::stop() {
    // Posted completions may still refer to the parts: let them come in first.
    bool written = false;
    storage.run({}, [&] { written = true; });
    EXPECT_TRUE(loop.run_until([&] { return written; }));
    loop.run_posted();
    files.reset();
    uploads.reset();
    cache.reset();
    core.reset();
}

Node& FilesTest::listed(const std::string& name, const std::string& content) {
    server.put_file("/" + name, content, now - 86'400);
    auto& node = core->tree.add(core->tree.root(), name, modem::EntryKind::file);
    node.listed_size = content.size();
    node.listed_mtime = now - 86'400;
    return node;
}

Node& FilesTest::fresh(const std::string& name) {
    auto& node = core->tree.add(core->tree.root(), name, modem::EntryKind::file);
    node.on_server = false;
    return node;
}

modem::Result<HandlePtr> FilesTest::try_open(Node& node, int flags) {
    auto handle =
        await<HandlePtr>([&](auto done) { files->open(node, flags, nullptr, std::move(done)); });
    if (handle) {
        (*handle)->opener = 1;
    }
    return handle;
}

HandlePtr FilesTest::open(Node& node, int flags) {
    auto handle = try_open(node, flags);
    EXPECT_TRUE(handle.has_value()) << handle.error().what;
    return *handle;
}

modem::Result<std::string> FilesTest::read(const HandlePtr& handle, std::uint64_t offset,
                                           std::size_t size, bool whole) {
    auto result = await<ReadResult>(
        [&](auto done) { files->read(handle, offset, size, whole, nullptr, std::move(done)); });
    if (!result) {
        return modem::fail(result.error());
    }
    if (!result->file) {
        return std::string(result->bytes.begin(), result->bytes.end());
    }
    std::string bytes(result->length, '\0');
    auto got = result->file->read(result->offset, bytes);
    EXPECT_TRUE(got && *got == bytes.size());
    return bytes;
}

modem::Result<std::size_t> FilesTest::write(const HandlePtr& handle, std::uint64_t offset,
                                            std::string_view bytes) {
    return await<std::size_t>(
        [&](auto done) { files->write(handle, offset, bytes, std::move(done)); });
}

modem::Result<void> FilesTest::flush(const HandlePtr& handle, std::uint64_t owner, int pid) {
    return await<void>(
        [&](auto done) { files->flush(handle, owner, pid, nullptr, std::move(done)); });
}

modem::Result<void> FilesTest::close(const HandlePtr& handle) {
    auto flushed = flush(handle);
    files->release(handle);
    return flushed;
}

modem::Result<void> FilesTest::truncate(Node& node, const HandlePtr& handle, std::uint64_t size) {
    return await<void>(
        [&](auto done) { files->truncate(node, handle, size, nullptr, std::move(done)); });
}

void FilesTest::delivered() {
    EXPECT_TRUE(loop.run_until([&] { return uploads->list().empty(); }));
}

}  // namespace fusefs
