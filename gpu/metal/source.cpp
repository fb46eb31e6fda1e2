// SPDX-License-Identifier: MIT
// Makes the text that Metal's compiler gets: program.metal with its headers, each once, in Metal's words.
//
//     tutti_metal_source ROOT OUT [CODE]   CODE: the same as a C++ source, for gpu/metal/device.mm
//
// Metal wants an address space at every pointer and reference, and `constant` at what stands in a namespace or a class. The headers
// mark what is not the thread's own (dsp/address_space.h); here all others get `thread`. clang-format keeps `T* x` and `a * b` apart,
// so a `*` or `&` that follows its word directly, and is followed by none, is a pointer's or a reference's.
#include <cstdio>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace {

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// ` thread` before each pointer or reference that is not marked.
std::string with_spaces(const std::string& code) {
    std::string out;
    for (std::size_t i = 0; i < code.size(); ++i) {
        const char c = code[i], before = i > 0 ? code[i - 1] : ' ', after = i + 1 < code.size() ? code[i + 1] : ' ';
        const bool declares = (c == '*' || c == '&') && (is_word(before) || before == '>') &&
                              (after == ' ' || after == ')' || after == ',' || after == '>');
        if (declares) {
            std::size_t begin = out.size();
            while (begin > 0 && is_word(out[begin - 1]))
                --begin;
            const std::string word = out.substr(begin);
            const bool marked = word == "TUTTI_DEVICE" || word == "TUTTI_SHARED" || word == "TUTTI_TABLE" ||
                                word == "device" || word == "constant" || word == "operator" || word == "thread";
            // device T& x, as program.metal has it
            const bool leads =
                out.find("device ") != std::string::npos && out.find(',', out.rfind("device ")) == std::string::npos;
            if (!marked && !leads) out += " thread";
        }
        out += c;
    }
    return out;
}

std::string in_metal(std::string line) {
    const auto comment = line.find("//");
    std::string code = line.substr(0, comment), rest = comment == std::string::npos ? "" : line.substr(comment);
    if (code.find_first_not_of(' ') != std::string::npos && code[code.find_first_not_of(' ')] == '#') return line;
    code = with_spaces(code);
    // What stands in a namespace or a class: in memory that never changes.
    static const std::regex in_namespace("^(inline )?constexpr (?!.*\\()"),
        in_class("^( +)static constexpr (?![^=;{]*\\()");
    code = std::regex_replace(code, in_namespace, "constant constexpr ");
    code = std::regex_replace(code, in_class, "$1static constant constexpr ");
    static const std::regex wide("unsigned long long"), literal("\\b([0-9]+)ull\\b"),
        standard("\\bstd::(u?int(8|16|32|64)_t)");
    code = std::regex_replace(code, wide, "ulong");
    code = std::regex_replace(code, literal, "$1ul");
    code = std::regex_replace(code, standard, "tutti_$1");
    static const std::regex taken("\\bhalf\\b"); // a type of Metal's
    return std::regex_replace(code, taken, "half_") + rest;
}

bool append(const std::string& root, const std::string& name, std::set<std::string>& seen, std::ostream& out) {
    if (!seen.insert(name).second) return true;
    std::ifstream file(root + "/" + name);
    if (!file) return std::fprintf(stderr, "tutti_metal_source: cannot read %s\n", name.c_str()), false;
    for (std::string line; std::getline(file, line);) {
        if (line == "#pragma once") continue;
        if (line.rfind("#include \"", 0) == 0) {
            const std::string other = line.substr(10, line.find('"', 10) - 10);
            if (!append(root, other, seen, out)) return false;
        } else if (line.rfind("#include <", 0) != 0 || line == "#include <metal_stdlib>") {
            out << in_metal(line) << "\n";
        }
    }
    return true;
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 3 || argc > 4) return std::fprintf(stderr, "usage: tutti_metal_source ROOT OUT [CODE]\n"), 2;
    std::set<std::string> seen = {"dsp/lane_simd.h", "engine/memory/memory.h"}; // of the host alone
    std::ostringstream text;
    text << "// Made by gpu/metal/source.cpp.\n"
            "typedef signed char tutti_int8_t;\ntypedef unsigned char tutti_uint8_t;\ntypedef short tutti_int16_t;\n"
            "typedef unsigned short tutti_uint16_t;\ntypedef int tutti_int32_t;\ntypedef unsigned int tutti_uint32_t;\n"
            "typedef long tutti_int64_t;\ntypedef unsigned long tutti_uint64_t;\n";
    if (!append(argv[1], "gpu/metal/program.metal", seen, text)) return 1;
    std::ofstream out(argv[2]);
    out << text.str();
    if (argc > 3) {
        std::ofstream code(argv[3]);
        code << "#include \"gpu/metal/device.h\"\n\nnamespace tutti::gpu {\n\nconst char* metal_source() noexcept {\n"
                "    return R\"metal("
             << text.str() << ")metal\";\n}\n\n} // namespace tutti::gpu\n";
        if (!code.good()) return 1;
    }
    return out.good() ? 0 : 1;
}
