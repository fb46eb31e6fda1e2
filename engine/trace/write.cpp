// SPDX-License-Identifier: MIT
#include "engine/trace/write.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <tutti/trace.h>

namespace tutti::trace {
namespace {

// Text of any locale-free kind into a large buffer, and the buffer into the file.
class Out {
public:
    explicit Out(std::FILE* file) : m_file(file) { m_buffer.reserve(k_size + 1024); }
    void text(const char* words) { m_buffer += words; }
    void number(std::int64_t value) {
        char digits[24];
        std::snprintf(digits, sizeof digits, "%lld", static_cast<long long>(value));
        m_buffer += digits;
    }
    // Three decimals, without the locale's comma.
    void decimal(double value) {
        const auto thousandths = static_cast<std::int64_t>(std::llround(value * 1000.0));
        char digits[40];
        std::snprintf(digits, sizeof digits, "%s%lld.%03lld", thousandths < 0 ? "-" : "",
                      static_cast<long long>(std::llabs(thousandths) / 1000),
                      static_cast<long long>(std::llabs(thousandths) % 1000));
        m_buffer += digits;
    }
    void quoted(const char* words) {
        m_buffer += '"';
        for (; *words != '\0'; ++words) {
            if (*words == '"' || *words == '\\') m_buffer += '\\';
            if (static_cast<unsigned char>(*words) >= 0x20) m_buffer += *words;
        }
        m_buffer += '"';
    }
    bool flush(bool all) {
        if (!all && m_buffer.size() < k_size) return true;
        const bool written = std::fwrite(m_buffer.data(), 1, m_buffer.size(), m_file) == m_buffer.size();
        m_buffer.clear();
        return written;
    }

private:
    static constexpr std::size_t k_size = 1 << 20;
    std::FILE* m_file;
    std::string m_buffer;
};

void write_event(Out& out, const TraceEvent& event, std::size_t thread, const Scale& scale) {
    const auto microseconds = [&](std::uint64_t ticks) {
        return static_cast<double>(ticks - scale.begin) / scale.ticks_per_microsecond;
    };
    static const char* const k_phase[] = {"X", "i", "C"};
    out.text(",\n{\"ph\":\"");
    out.text(k_phase[event.kind]);
    out.text("\",\"pid\":1,\"tid\":");
    out.number(static_cast<std::int64_t>(thread) + 1);
    out.text(",\"name\":");
    out.quoted(event.name);
    out.text(",\"ts\":");
    out.decimal(microseconds(event.begin));
    switch (event.kind) {
    case TraceEvent::span:
        // Both ends are rounded: what stands inside another span also stands inside it in the file.
        out.text(",\"dur\":");
        out.decimal(std::round(microseconds(event.end) * 1000.0) / 1000.0 -
                    std::round(microseconds(event.begin) * 1000.0) / 1000.0);
        if (event.number != k_no_number) {
            out.text(",\"args\":{\"number\":");
            out.number(event.number);
            out.text("}");
        }
        break;
    case TraceEvent::instant:
        out.text(",\"s\":\"t\"");
        break;
    case TraceEvent::counter: {
        double value;
        std::memcpy(&value, &event.end, sizeof value);
        if (event.number != k_no_number) {
            out.text(",\"id\":");
            out.number(event.number);
        }
        out.text(",\"args\":{\"value\":");
        out.decimal(std::isfinite(value) ? value : 0.0);
        out.text("}");
        break;
    }
    }
    out.text("}");
}

} // namespace

Status write_json(const std::string& path, const std::vector<ThreadEvents>& threads, const Scale& scale,
                  std::int64_t dropped) {
    const auto refuse = [&](const char* what) {
        return Status(Code::file_unwritable, path + " " + what, "the trace was not written",
                      "name a file in a folder that may be written and has room");
    };
    // Under another name until it is whole; what is no ordinary file (a pipe, a device) is written as it stands.
    std::error_code error;
    const bool in_place = std::filesystem::exists(path, error) && !std::filesystem::is_regular_file(path, error);
    const std::string place = in_place ? path : path + ".unfinished";
    std::FILE* const file = std::fopen(place.c_str(), "wb");
    if (file == nullptr) return refuse("cannot be opened for writing");
    Out out(file);
    bool good = true;
    out.text("{\"displayTimeUnit\":\"ns\",\"otherData\":{\"program\":\"tutti\",\"dropped\":\"");
    out.number(dropped);
    out.text("\"},\"traceEvents\":[\n{\"ph\":\"M\",\"pid\":1,\"name\":\"process_name\",\"args\":{\"name\":\"tutti\"}}");
    for (std::size_t i = 0; i < threads.size() && good; ++i) {
        if (threads[i].name != nullptr) {
            out.text(",\n{\"ph\":\"M\",\"pid\":1,\"tid\":");
            out.number(static_cast<std::int64_t>(i) + 1);
            out.text(",\"name\":\"thread_name\",\"args\":{\"name\":");
            out.quoted(threads[i].name);
            out.text("}}");
        }
        threads[i].each([&](const TraceEvent& event) {
            write_event(out, event, i, scale);
            good = good && out.flush(false);
        });
    }
    out.text("\n]}\n");
    good = out.flush(true) && good;
    good = std::fclose(file) == 0 && good;
    if (good && !in_place) {
        std::filesystem::rename(place, path, error);
        good = !error;
    }
    if (good) return {};
    if (!in_place) std::filesystem::remove(place, error);
    return refuse("could not be written to its end");
}

} // namespace tutti::trace
