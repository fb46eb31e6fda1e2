// SPDX-License-Identifier: MIT
// The presets: those of the factory, and a folder of the user's. Names, tags, search, favourites, import and export.
//
// A preset is a patch file (docs/patches.md). Favourites stand in `favourites.json` in the user's folder. All calls may come from
// any thread but the audio thread; refresh() may take seconds with thousands of files and belongs on a worker.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <tutti/patch.h>

namespace tutti::plugin {

struct Preset {
    std::string id;       // "warm-pad" of the factory, "user/My Pad.json" of the user's folder: stable
    std::string name;     // "Warm Pad"
    std::string category; // "Pad"
    std::string author;
    std::vector<std::string> tags;
    std::filesystem::path path; // empty: factory
    bool favourite = false;
    bool factory() const noexcept { return path.empty(); } // [any]
    std::string haystack;                                  // what a search looks through, lower case
};

struct PresetQuery {
    std::string text = {};     // words, each of which must occur in name, category, author or tags
    std::string category = {}; // empty: all
    bool favourites = false;
    bool user = false; // the user's own only
};

class PresetLibrary {
public:
    using List = std::vector<Preset>;

    explicit PresetLibrary(std::filesystem::path user_folder = default_folder());
    // Where the user's presets stand on this system. [control]
    static std::filesystem::path default_folder();
    const std::filesystem::path& folder() const noexcept { return m_folder; } // [any]

    // Reads the factory's and the folder's presets anew, folders within it, too; files that are none are left out and counted.
    // [worker]
    void refresh();
    int unreadable() const; // files that refresh() left out [control]
    // What refresh() found, by name; empty before the first. The list does not change any more. [control]
    std::shared_ptr<const List> list() const;
    std::vector<std::string> categories() const; // [control]
    // Places in list(), the better match first: name's beginning, a word's beginning, anywhere. [control]
    std::vector<int> search(const PresetQuery& query) const;
    // Of list(); -1: not there. [control]
    int find(std::string_view id) const;
    // The one `step` places further among those that the query finds, round the end; -1: it finds none. [control]
    int neighbour(std::string_view id, int step, const PresetQuery& query = {}) const;

    // Errors: not_found, and those of Patch::load. [control]
    Result<Patch> load(std::string_view id) const;
    // Writes it under its name (made fit for a file; never outside the folder) and refreshes that entry; the id. Errors:
    // file_unwritable, those of Patch::validate. [control]
    Result<std::string> save(const Patch& patch, bool replace = false);
    // A patch file from anywhere into the folder; the id. Errors: as load and save. [control]
    Result<std::string> import_file(const std::filesystem::path& file);
    // Errors: as load, file_unwritable. [control]
    Status export_file(std::string_view id, const std::filesystem::path& file) const;
    // The user's own only. Errors: not_found, unsupported (a factory preset), file_unwritable. [control]
    Status remove(std::string_view id);
    // Errors: not_found, file_unwritable. [control]
    Status set_favourite(std::string_view id, bool on);

private:
    Status write(const std::filesystem::path& file, const std::string& text) const;
    void read_favourites();
    Status write_favourites() const;
    void put(Preset preset);

    std::filesystem::path m_folder;
    mutable std::mutex m_mutex;
    std::shared_ptr<const List> m_list = std::make_shared<const List>();
    std::set<std::string> m_favourites;
    int m_unreadable = 0;
};

} // namespace tutti::plugin
