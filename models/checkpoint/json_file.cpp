// SPDX-License-Identifier: MIT
#include <models/checkpoint/json_file.h>

#include <models/checkpoint/mapped_file.h>

namespace tutti::models {

Result<nlohmann::json> parse_json(std::string_view text, std::string_view name) {
    bool deep = false;
    try {
        auto json = nlohmann::json::parse(
            text.begin(), text.end(),
            [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
                deep = deep || depth > k_max_json_depth;
                return !deep;
            },
            true);
        if (!deep && !json.is_discarded()) return json;
        return Status(Code::malformed, std::string(name) + ": nested deeper than 64 levels", "the model is not loaded",
                      "fetch the file again");
    } catch (const std::exception& error) {
        std::string what = error.what();
        return Status(Code::malformed, std::string(name) + ": " + what.substr(0, 200), "the model is not loaded",
                      "fetch the file again");
    }
}

Result<nlohmann::json> read_json_file(const std::filesystem::path& path) {
    auto file = MappedFile::open(path);
    if (!file) return file.status();
    if (file->bytes() > k_max_json_bytes)
        return Status(Code::too_large, path.string() + ": larger than 64 MB", "the model is not loaded",
                      "give the folder of a published checkpoint");
    std::string text(static_cast<std::size_t>(file->bytes()), '\0');
    if (Status status = file->read(0, std::as_writable_bytes(std::span(text))); !status) return status;
    return parse_json(text, path.string());
}

} // namespace tutti::models
