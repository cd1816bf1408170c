// SPDX-License-Identifier: MIT
#include "fusefs/volume.hpp"

#include <ctime>
#include <utility>

#include "fusefs/capabilities_text.hpp"
#include "fusefs/file.hpp"
#include "fusefs/ledger_write.hpp"
#include "fusefs/volume_body.hpp"

namespace fusefs {

using modem::Result;

Volume::Body::Body(const config::Config& settings, modem::JobQueue& queue, Storage& storage,
                   Places where)
    : config(settings),
      places(std::move(where)),
      cache(storage, places.cache, settings.cache.size),
      uploads(core),
      files(core, cache, uploads),
      remembered(core),
      directories(core, files, remembered),
      leftovers(core) {
    core.config = &config;
    core.queue = &queue;
    core.storage = &storage;
    core.now = [] { return std::time(nullptr); };
    core.tree.keep_if([](const Node& node) { return !node.file->clean(); });
    uploads.add_listener(
        [this](const UploadRow& row, const Uploads::Outcome& outcome) { delivered(row, outcome); });
}

Volume::Body::~Body() {
    core.alive.reset();  // what is still under way must not call back into what is being freed
}

Volume::Volume(std::unique_ptr<Body> body) : body_(std::move(body)) {}
Volume::~Volume() = default;

Result<std::unique_ptr<Volume>> Volume::open(const config::Config& config, modem::JobQueue& queue,
                                             Storage& storage, Places places,
                                             std::function<void(int, const std::string&)> log) {
    TRY(auto root, modem::RemotePath::parse(config.ftp.root));
    TRY(auto ledger, Ledger::open(places.state / "ledger.sqlite"));
    TRY(auto spool, Spool::open(places.state / "spool", config.upload.spool_size));
    auto body = std::make_unique<Body>(config, queue, storage, std::move(places));
    body->core.root = std::move(root);
    body->core.log = std::move(log);
    body->core.ledger = std::move(ledger);
    body->core.spool = std::move(spool);
    CHECK(body->restore());
    return std::unique_ptr<Volume>(new Volume(std::move(body)));
}

/// A fact about this server; another one in the config is another fact.
std::string Volume::Body::server_fact(std::string_view name) const {
    return std::string(name) + " " + config.ftp.host + ":" + std::to_string(config.ftp.port);
}

void Volume::Body::learn(const std::string& fact, const std::string& value) {
    write_ledger(core, [fact, value](Ledger& ledger) { return ledger.put_fact(fact, value); });
}

void Volume::link_changed(const modem::LinkStatus& status) {
    Body& body = *body_;
    const bool was_up = body.core.link_up();
    auto link = status;
    if (!link.capabilities) {
        link.capabilities = body.core.link.capabilities;
    }
    if (!link.hidden_listing) {
        link.hidden_listing = body.core.link.hidden_listing;
    }
    body.core.link = std::move(link);
    if (status.capabilities) {
        if (auto text = to_text(*status.capabilities); text != body.known_capabilities) {
            body.known_capabilities = text;
            body.learn("capabilities", text);
        }
    }
    if (status.hidden_listing && status.hidden_listing != body.known_hidden_listing) {
        body.known_hidden_listing = status.hidden_listing;
        body.learn(body.server_fact("hidden-listing"), *status.hidden_listing ? "yes" : "no");
    }
    body.answer_writers(false);
    if (!was_up && body.core.link_up()) {
        body.uploads.link_changed();
        body.leftovers.tick();
    }
}

void Volume::tick() {
    Body& body = *body_;
    body.answer_writers(true);
    body.uploads.tick();
    body.files.tick();
    body.leftovers.tick();
    body.directories.save(false);
}

void Volume::apply(const config::Config& config) {
    body_->cache.set_limit(config.cache.size);
}

void Volume::refresh(const modem::RemotePath& path) {
    Node* const node = body_->core.tree.at(path);
    if (node == nullptr) {
        return;
    }
    if (node->is_directory()) {
        body_->directories.drop(*node);
    } else if (node->parent != nullptr) {
        body_->directories.doubt(*node->parent);
    }
}

std::optional<bool> Volume::hidden_listing() const {
    return body_->core.link.hidden_listing;
}

void Volume::close() {
    body_->directories.save(true);
    body_->cache.save();
}

}  // namespace fusefs
