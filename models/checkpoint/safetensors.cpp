// SPDX-License-Identifier: MIT
#include <models/checkpoint/safetensors.h>

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

namespace tutti::models {
namespace {

using Json = nlohmann::json;

Status refuse(Code code, std::string_view file, std::string what) {
    return Status(code, std::string(file) + ": " + std::move(what), "the checkpoint is not loaded",
                  "fetch the file again and compare its SHA-256 with the publisher's");
}

// Names in messages are cut and made printable: they come from the file.
std::string shown(std::string_view name) {
    std::string text = "'";
    for (char c : name.substr(0, 80))
        text += (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) ? '?' : c;
    if (name.size() > 80) text += "...";
    return text + "'";
}

// Streaming reader of the one known form: {name: {dtype, shape, data_offsets}, __metadata__: {string: string}}.
// A SAX handler, because a document tree of a hostile header would cost many times its length.
class HeaderReader {
public:
    SafetensorsHeader header;
    std::string error;

    bool start_object(std::size_t) {
        ++m_depth;
        if (m_depth == 1) return true;
        if (m_depth == 2 && m_have_key) {
            m_have_key = false;
            m_tensor = TensorInfo{};
            m_tensor.name = m_key;
            m_seen = 0;
            return true;
        }
        return fail("nested deeper than a safetensors header is");
    }
    bool end_object() {
        --m_depth;
        if (m_depth != 1 || m_in_metadata) {
            m_in_metadata = false;
            return true;
        }
        if (m_seen != 7) {
            return fail("tensor " + shown(m_tensor.name) + " lacks " +
                        ((m_seen & 1) == 0   ? "dtype"
                         : (m_seen & 2) == 0 ? "shape"
                                             : "data_offsets"));
        }
        if (header.tensors.size() == k_max_tensors)
            return fail("more than " + std::to_string(k_max_tensors) + " tensors");
        header.tensors.push_back(std::move(m_tensor));
        return true;
    }
    bool key(std::string& text) {
        if (text.size() > k_max_name_bytes) return fail("a name of " + std::to_string(text.size()) + " bytes");
        m_key = text;
        m_have_key = true;
        if (m_depth == 1) {
            m_in_metadata = text == "__metadata__";
            if (!m_names.insert(text).second) return fail("the name " + shown(text) + " stands twice");
            return true;
        }
        if (m_in_metadata) return true;
        m_field = text == "dtype" ? 1u : text == "shape" ? 2u : text == "data_offsets" ? 4u : 0u;
        if (m_field == 0) return fail("tensor " + shown(m_tensor.name) + " has the unknown field " + shown(text));
        if ((m_seen & m_field) != 0) return fail("tensor " + shown(m_tensor.name) + " has " + text + " twice");
        m_seen |= m_field;
        return true;
    }
    bool string(std::string& text) {
        if (m_depth == 2 && m_in_metadata) {
            if (!header.metadata.emplace(m_key, text).second) return fail("metadata " + shown(m_key) + " stands twice");
            return true;
        }
        if (m_depth != 2 || m_field != 1 || m_in_array) return fail("a string where none belongs, at " + shown(m_key));
        const auto dtype = dtype_from_name(text);
        if (!dtype) return fail("tensor " + shown(m_tensor.name) + " has the unknown type " + shown(text));
        m_tensor.dtype = *dtype;
        m_field = 0;
        return true;
    }
    bool start_array(std::size_t) {
        if (m_depth != 2 || m_in_metadata || m_in_array || (m_field != 2 && m_field != 4))
            return fail("a list where none belongs, at " + shown(m_key));
        m_in_array = true;
        m_offsets = 0;
        return true;
    }
    bool end_array() {
        m_in_array = false;
        if (m_field == 4 && m_offsets != 2)
            return fail("tensor " + shown(m_tensor.name) + ": data_offsets holds " + std::to_string(m_offsets) +
                        " numbers, not 2");
        m_field = 0;
        return true;
    }
    bool number_unsigned(std::uint64_t value) {
        if (!m_in_array) return fail("a number where none belongs, at " + shown(m_key));
        if (m_field == 2) {
            if (m_tensor.shape.size() == k_max_rank)
                return fail("tensor " + shown(m_tensor.name) + " has more than " + std::to_string(k_max_rank) +
                            " axes");
            m_tensor.shape.push_back(value);
        } else {
            if (m_offsets == 0) m_tensor.begin = value;
            if (m_offsets == 1) m_tensor.end = value;
            ++m_offsets;
        }
        return true;
    }
    bool number_integer(std::int64_t) { return fail("a negative number at " + shown(m_key)); }
    bool number_float(double, const std::string& text) { return fail("the number " + text + " is not whole"); }
    bool null() { return fail("null at " + shown(m_key)); }
    bool boolean(bool) { return fail("true or false at " + shown(m_key)); }
    bool binary(Json::binary_t&) { return fail("binary data"); }
    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) {
        return fail("the header is not valid JSON at byte " + std::to_string(position));
    }

private:
    bool fail(std::string text) {
        if (error.empty()) error = std::move(text);
        return false;
    }

    int m_depth = 0;
    bool m_have_key = false;
    bool m_in_metadata = false;
    bool m_in_array = false;
    unsigned m_field = 0; // 1 dtype, 2 shape, 4 data_offsets
    unsigned m_seen = 0;
    int m_offsets = 0;
    std::string m_key;
    TensorInfo m_tensor;
    std::set<std::string> m_names;
};

std::uint64_t read_length(std::span<const std::byte> bytes) noexcept {
    std::uint64_t length = 0;
    for (int i = 7; i >= 0; --i)
        length = (length << 8) | std::to_integer<std::uint64_t>(bytes[static_cast<std::size_t>(i)]);
    return length;
}

// What can run code when opened by its own tools is named as such, not called "malformed".
const char* executable_format(std::span<const std::byte> bytes) {
    const auto at = [&](std::size_t i) { return std::to_integer<unsigned>(bytes[i]); };
    if (bytes.size() >= 4 && at(0) == 'P' && at(1) == 'K' && (at(2) == 3 || at(2) == 5 || at(2) == 7))
        return "a zip archive (a PyTorch .pt file or TorchScript)";
    if (bytes.size() >= 2 && at(0) == 0x80 && at(1) >= 1 && at(1) <= 5 &&
        (bytes.size() < 8 || (read_length(bytes) > k_max_header_bytes)))
        return "a Python pickle";
    if (bytes.size() >= 2 && at(0) == 0x1f && at(1) == 0x8b && bytes.size() >= 3 && at(2) == 8) return "a gzip file";
    if (bytes.size() >= 4 && at(0) == 0x7f && at(1) == 'E' && at(2) == 'L' && at(3) == 'F') return "a program";
    return nullptr;
}

} // namespace

std::string shape_text(std::span<const std::uint64_t> shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i)
        text += (i ? ", " : "") + std::to_string(shape[i]);
    return text + "]";
}

std::uint64_t safetensors_prefix_bytes(std::span<const std::byte> first) noexcept {
    if (first.size() < 8) return 8;
    return 8 + std::min(read_length(first), k_max_header_bytes + 1);
}

Result<SafetensorsHeader> parse_safetensors_header(std::span<const std::byte> prefix, std::uint64_t file_bytes,
                                                   std::string_view file) {
    if (const char* format = executable_format(prefix)) {
        return Status(Code::unsupported, std::string(file) + ": this is " + format + ", not safetensors",
                      "it is not opened, because such a file can run code when loaded",
                      "convert it to safetensors with the publisher's script and give that file");
    }
    if (file_bytes < 8 || prefix.size() < 8)
        return refuse(Code::truncated, file, "only " + std::to_string(file_bytes) + " bytes, no header length");
    const std::uint64_t length = read_length(prefix);
    if (length > k_max_header_bytes)
        return refuse(Code::too_large, file, "header length " + std::to_string(length) + " is above 100 MB");
    if (length > file_bytes - 8)
        return refuse(Code::truncated, file,
                      "header length " + std::to_string(length) + " in a file of " + std::to_string(file_bytes) +
                          " bytes");
    if (prefix.size() < 8 + length) return refuse(Code::truncated, file, "the header ends early");
    const char* text = reinterpret_cast<const char*>(prefix.data()) + 8;
    if (length == 0 || text[0] != '{') return refuse(Code::malformed, file, "the header does not begin with '{'");

    HeaderReader reader;
    bool parsed = false;
    try {
        // Trailing spaces are padding and allowed; anything else after the object is an error (strict).
        parsed = Json::sax_parse(text, text + length, &reader, Json::input_format_t::json, true);
    } catch (const std::exception&) { // out_of_range for numbers, bad_alloc
        if (reader.error.empty()) reader.error = "the header cannot be read";
    }
    if (!parsed)
        return refuse(Code::malformed, file, reader.error.empty() ? "the header cannot be read" : reader.error);

    const std::uint64_t data_begin = 8 + length;
    const std::uint64_t data_bytes = file_bytes - data_begin;
    auto& tensors = reader.header.tensors;
    for (TensorInfo& tensor : tensors) {
        const std::string name = "tensor " + shown(tensor.name);
        std::uint64_t elements = 1;
        bool zero = false;
        for (std::uint64_t axis : tensor.shape)
            zero = zero || axis == 0;
        for (std::uint64_t axis : tensor.shape) {
            if (!zero && elements > UINT64_MAX / 16 / axis)
                return refuse(Code::malformed, file, name + ": the shape " + shape_text(tensor.shape) + " overflows");
            elements = zero ? 0 : elements * axis;
        }
        tensor.elements = elements;
        if (tensor.begin > tensor.end || tensor.end > data_bytes)
            return refuse(tensor.begin > tensor.end ? Code::malformed : Code::truncated, file,
                          name + ": bytes " + std::to_string(tensor.begin) + " to " + std::to_string(tensor.end) +
                              " of a data section of " + std::to_string(data_bytes) + " bytes");
        if (tensor.end - tensor.begin != elements * dtype_bytes(tensor.dtype))
            return refuse(Code::malformed, file,
                          name + ": " + std::to_string(tensor.end - tensor.begin) + " bytes for " +
                              std::string(dtype_name(tensor.dtype)) + " " + shape_text(tensor.shape));
    }
    std::stable_sort(tensors.begin(), tensors.end(), [](const TensorInfo& a, const TensorInfo& b) {
        return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
    });
    std::uint64_t position = 0;
    for (TensorInfo& tensor : tensors) {
        if (tensor.begin != position)
            return refuse(Code::malformed, file,
                          "tensor " + shown(tensor.name) +
                              (tensor.begin < position ? " overlaps the one before it" : " leaves a gap before it"));
        position = tensor.end;
        tensor.begin += data_begin;
        tensor.end += data_begin;
    }
    if (position != data_bytes)
        return refuse(Code::malformed, file, std::to_string(data_bytes - position) + " bytes after the last tensor");
    return std::move(reader.header);
}

} // namespace tutti::models
