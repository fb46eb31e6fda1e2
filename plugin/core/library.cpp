// SPDX-License-Identifier: MIT
#include "plugin/core/library.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

namespace tutti::plugin {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t k_file_bytes = 16u << 20;
constexpr int k_file_depth = 8; // folders within the user's

// ASCII only: other letters must be typed as they are.
std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

Preset describe(std::string id, const Patch& patch, fs::path path) {
    Preset preset;
    preset.id = std::move(id);
    preset.name = patch.name;
    preset.category = patch.category;
    preset.author = patch.author;
    preset.tags = patch.tags;
    preset.path = std::move(path);
    preset.haystack =
        lower(patch.name).append("\n").append(lower(patch.category)).append("\n").append(lower(patch.author));
    for (const std::string& tag : patch.tags)
        preset.haystack.append("\n").append(lower(tag));
    return preset;
}

std::string utf8(const fs::path& path) {
    const std::u8string text = path.generic_u8string();
    return std::string(text.begin(), text.end());
}
fs::path from_utf8(std::string_view text) {
    return fs::path(std::u8string(text.begin(), text.end()));
}

// A file's name that every system takes, and that stays in its folder.
std::string file_name(std::string_view name) {
    std::string out;
    for (const char c : name) {
        const auto u = static_cast<unsigned char>(c);
        out += u < 32 || u == 127 || std::string_view("/\\:*?\"<>|").find(c) != std::string_view::npos ? '-' : c;
    }
    while (!out.empty() && (out.back() == '.' || out.back() == ' '))
        out.pop_back();
    while (!out.empty() && (out.front() == '.' || out.front() == ' '))
        out.erase(out.begin());
    if (out.size() > 120) {
        out.resize(120);
        while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xc0) == 0x80)
            out.pop_back();
        if (!out.empty() && static_cast<unsigned char>(out.back()) >= 0xc0) out.pop_back();
    }
    return out.empty() ? "Preset" : out;
}

bool by_name(const Preset& a, const Preset& b) {
    const std::string x = lower(a.name), y = lower(b.name);
    return x != y ? x < y : a.id < b.id;
}

} // namespace

PresetLibrary::PresetLibrary(fs::path user_folder) : m_folder(std::move(user_folder)) {}

fs::path PresetLibrary::default_folder() {
    const auto environment = [](const char* name) {
        const char* value = std::getenv(name);
        return value != nullptr ? std::string(value) : std::string();
    };
#if defined(_WIN32)
    const std::string base = environment("APPDATA");
    return base.empty() ? fs::path("Tutti/Presets") : from_utf8(base) / "Tutti" / "Presets";
#elif defined(__APPLE__)
    return from_utf8(environment("HOME")) / "Library" / "Audio" / "Presets" / "Tutti";
#else
    const std::string data = environment("XDG_DATA_HOME");
    return (data.empty() ? from_utf8(environment("HOME")) / ".local" / "share" : from_utf8(data)) / "tutti" / "presets";
#endif
}

void PresetLibrary::refresh() {
    List found;
    int unreadable = 0;
    for (const std::string_view name : Patch::factory_names())
        if (const Result<Patch> patch = Patch::factory(name)) found.push_back(describe(std::string(name), *patch, {}));
    std::error_code error;
    fs::recursive_directory_iterator at(m_folder, fs::directory_options::skip_permission_denied, error);
    const fs::recursive_directory_iterator end;
    while (!error && at != end) {
        if (at.depth() >= k_file_depth) at.disable_recursion_pending();
        const fs::path path = at->path();
        std::error_code ignored;
        if (path.extension() == ".json" && path.filename() != "favourites.json" && at->is_regular_file(ignored)) {
            const std::uintmax_t bytes = at->file_size(ignored);
            if (const Result<Patch> patch = Patch::load(path.string()); !ignored && bytes <= k_file_bytes && patch)
                found.push_back(
                    describe(std::string("user/").append(utf8(path.lexically_relative(m_folder))), *patch, path));
            else
                ++unreadable;
        }
        at.increment(error);
    }
    std::sort(found.begin(), found.end(), by_name);
    const std::lock_guard lock(m_mutex);
    read_favourites();
    for (Preset& preset : found)
        preset.favourite = m_favourites.count(preset.id) != 0;
    m_unreadable = unreadable;
    m_list = std::make_shared<const List>(std::move(found));
}

int PresetLibrary::unreadable() const {
    const std::lock_guard lock(m_mutex);
    return m_unreadable;
}

std::shared_ptr<const PresetLibrary::List> PresetLibrary::list() const {
    const std::lock_guard lock(m_mutex);
    return m_list;
}

std::vector<std::string> PresetLibrary::categories() const {
    std::set<std::string> names;
    for (const Preset& preset : *list())
        if (!preset.category.empty()) names.insert(preset.category);
    return {names.begin(), names.end()};
}

std::vector<int> PresetLibrary::search(const PresetQuery& query) const {
    const std::shared_ptr<const List> all = list();
    std::vector<std::string> words;
    std::istringstream text(lower(query.text));
    for (std::string word; text >> word;)
        words.push_back(word);
    std::vector<std::pair<int, int>> ranked; // worse first number later
    for (std::size_t i = 0; i < all->size(); ++i) {
        const Preset& preset = (*all)[i];
        if (query.favourites && !preset.favourite) continue;
        if (query.user && preset.factory()) continue;
        if (!query.category.empty() && preset.category != query.category) continue;
        int rank = 0;
        bool fits = true;
        for (const std::string& word : words) {
            const std::size_t at = preset.haystack.find(word);
            if (at == std::string::npos) {
                fits = false;
                break;
            }
            const char before = at == 0 ? '\n' : preset.haystack[at - 1];
            rank += at == 0 ? 0 : before == ' ' || before == '\n' || before == '-' ? 1 : 2;
        }
        if (fits) ranked.emplace_back(rank, static_cast<int>(i));
    }
    std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<int> places;
    for (const auto& [rank, place] : ranked)
        places.push_back(place);
    return places;
}

int PresetLibrary::find(std::string_view id) const {
    const std::shared_ptr<const List> all = list();
    for (std::size_t i = 0; i < all->size(); ++i)
        if ((*all)[i].id == id) return static_cast<int>(i);
    return -1;
}

int PresetLibrary::neighbour(std::string_view id, int step, const PresetQuery& query) const {
    const std::vector<int> places = search(query);
    if (places.empty()) return -1;
    const auto count = static_cast<int>(places.size());
    const auto at = std::find(places.begin(), places.end(), find(id));
    if (at == places.end()) return step >= 0 ? places.front() : places.back();
    const int next = (static_cast<int>(at - places.begin()) + step % count + count) % count;
    return places[static_cast<std::size_t>(next)];
}

Result<Patch> PresetLibrary::load(std::string_view id) const {
    const int place = find(id);
    if (place < 0) return Patch::factory(id); // before the first refresh; its not_found names what is near
    const Preset preset = (*list())[static_cast<std::size_t>(place)];
    return preset.factory() ? Patch::factory(preset.id) : Patch::load(preset.path.string());
}

Status PresetLibrary::write(const fs::path& file, const std::string& text) const {
    const auto failed = [&](const std::string& why) {
        return Status(Code::file_unwritable, utf8(file) + " cannot be written" + why, "nothing was saved",
                      "look whether the folder is yours and the disk has room");
    };
    std::error_code error;
    fs::create_directories(file.parent_path(), error);
    if (error) return failed(": " + error.message());
    // Whole or not at all.
    fs::path unfinished = file;
    unfinished += ".unfinished";
    {
        std::ofstream stream(unfinished, std::ios::binary | std::ios::trunc);
        stream << text;
        stream.flush();
        if (!stream) {
            stream.close();
            fs::remove(unfinished, error);
            return failed("");
        }
    }
    fs::rename(unfinished, file, error);
    if (error) {
        const std::string why = ": " + error.message();
        fs::remove(unfinished, error);
        return failed(why);
    }
    return {};
}

void PresetLibrary::put(Preset preset) {
    const std::lock_guard lock(m_mutex);
    List next = *m_list;
    std::erase_if(next, [&](const Preset& other) { return other.id == preset.id; });
    preset.favourite = m_favourites.count(preset.id) != 0;
    next.insert(std::upper_bound(next.begin(), next.end(), preset, by_name), std::move(preset));
    m_list = std::make_shared<const List>(std::move(next));
}

Result<std::string> PresetLibrary::save(const Patch& patch, bool replace) {
    if (Status status = patch.validate(); !status) return status;
    const std::string name = file_name(patch.name);
    fs::path path = m_folder / from_utf8(name + ".json");
    std::error_code error;
    for (int n = 2; !replace && fs::exists(path, error); ++n)
        path = m_folder / from_utf8(std::string(name).append(" ").append(std::to_string(n)).append(".json"));
    if (Status status = write(path, patch.to_json()); !status) return status;
    const std::string id = std::string("user/").append(utf8(path.filename()));
    put(describe(id, patch, path));
    return id;
}

Result<std::string> PresetLibrary::import_file(const fs::path& file) {
    Result<Patch> patch = Patch::load(file.string());
    if (!patch) return patch.status();
    return save(*patch);
}

Status PresetLibrary::export_file(std::string_view id, const fs::path& file) const {
    const Result<Patch> patch = load(id);
    return patch ? write(file, patch->to_json()) : patch.status();
}

Status PresetLibrary::remove(std::string_view id) {
    const int place = find(id);
    if (place < 0)
        return Status(Code::not_found, "there is no preset '" + std::string(id) + "'", "nothing was removed",
                      "choose one of the list");
    const Preset preset = (*list())[static_cast<std::size_t>(place)];
    if (preset.factory())
        return Status(Code::unsupported, "'" + preset.name + "' comes with Tutti", "nothing was removed",
                      "choose a preset of your own");
    std::error_code error;
    fs::remove(preset.path, error);
    if (error)
        return Status(Code::file_unwritable, utf8(preset.path) + " cannot be removed: " + error.message(),
                      "the preset is still there", "look whether the folder is yours");
    const std::lock_guard lock(m_mutex);
    List next = *m_list;
    std::erase_if(next, [&](const Preset& other) { return other.id == id; });
    m_list = std::make_shared<const List>(std::move(next));
    return {};
}

Status PresetLibrary::set_favourite(std::string_view id, bool on) {
    const int place = find(id);
    if (place < 0)
        return Status(Code::not_found, "there is no preset '" + std::string(id) + "'", "no favourite was set",
                      "choose one of the list");
    const std::lock_guard lock(m_mutex);
    if (on)
        m_favourites.insert(std::string(id));
    else
        m_favourites.erase(std::string(id));
    List next = *m_list;
    for (Preset& preset : next)
        if (preset.id == id) preset.favourite = on;
    m_list = std::make_shared<const List>(std::move(next));
    return write_favourites();
}

void PresetLibrary::read_favourites() {
    m_favourites.clear();
    std::ifstream stream(m_folder / "favourites.json", std::ios::binary);
    if (!stream) return;
    const nlohmann::json json = nlohmann::json::parse(stream, nullptr, false);
    if (!json.is_array()) return; // broken: as if there were none
    for (const auto& id : json)
        if (id.is_string()) m_favourites.insert(id.get<std::string>());
}

Status PresetLibrary::write_favourites() const {
    const nlohmann::json json(m_favourites);
    return write(m_folder / "favourites.json",
                 json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

} // namespace tutti::plugin
