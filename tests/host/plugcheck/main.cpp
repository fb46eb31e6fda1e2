// SPDX-License-Identifier: MIT
// plugcheck: loads a plugin and checks it, each check in a process of its own, so that a crash or a hang is its result. Over 400 lines: options, processes, reports.
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <regex>
#include <stdexcept>
#include <string>

#include <csignal>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/host/plugcheck/check.h"

namespace tutti::host {

#if !TUTTI_PLUGCHECK_VST3
std::vector<Check> vst3_checks() {
    return {};
}
#endif
#if !TUTTI_PLUGCHECK_JUCE
std::unique_ptr<Plugin> load_juce(const std::string&) {
    throw std::runtime_error("this plugcheck was built without JUCE");
}
void end_hosts() {}
std::unique_ptr<Plugin> load_planted() {
    throw std::runtime_error("this plugcheck was built without JUCE");
}
#endif

std::unique_ptr<Plugin> load(const std::string& path, const std::string& how) {
    const std::string ending = std::filesystem::path(path).extension().string();
    const std::string by = !how.empty() ? how : ending == ".clap" ? "clap" : "juce";
    if (by == "clap") return load_clap(path);
    if (by == "juce") return load_juce(path);
    if (by == "planted") return load_planted();
    throw std::runtime_error("no host is called " + by);
}

// Which format's own checks a plugin gets: they load it by themselves.
static std::string format_of(const std::string& path, const std::string& how) {
    const std::string ending = std::filesystem::path(path).extension().string();
    return how == "planted" || ending == ".vst3" ? "VST3" : ending == ".clap" ? "CLAP" : "";
}

std::string shared_object(const std::string& path) {
    namespace fs = std::filesystem;
    if (!fs::is_directory(path)) return path;
    std::string plain; // an LV2 bundle has its editor's beside it
    for (const auto& entry : fs::recursive_directory_iterator(path))
        if (entry.path().extension() == ".so" && (plain.empty() || entry.path().string().size() < plain.size()))
            plain = entry.path().string();
    return plain.empty() ? path : plain;
}

namespace {

struct Options {
    std::vector<std::string> paths;
    std::string how, only, json, display;
    Context context;
    int timeout = 120;
    bool list = false, scan = false, self_test = false, exact = false;
};

struct Result {
    std::string name, after, says, state; // "ok", "FAIL", "skip"
    std::vector<std::string> why, notes;
    double seconds = 0.0;
};

[[noreturn]] void usage(int code) {
    std::fprintf(code == 0 ? stdout : stderr,
                 "usage: plugcheck [OPTION...] PLUGIN...\n"
                 "Loads a VST3, LV2 or CLAP plugin and checks it; each check runs in a process of its own.\n\n"
                 "  --list            the checks, and whose they repeat\n"
                 "  --only PATTERN    those whose name matches the regular expression\n"
                 "  --host NAME       clap, juce [by the file's name]\n"
                 "  --json FILE       writes the results there; - is standard output\n"
                 "  --seed N          of everything random [1]\n"
                 "  --cents N         how far from its pitch the standard sound may be [1]\n"
                 "  --allow A,B       symbols that may be visible besides the entry points\n"
                 "  --timeout N       seconds that a check may take [120]\n"
                 "  --scan            loads and describes it, nothing else\n"
                 "  --self-test       PLUGIN is the one with planted faults: every check finds its own\n"
                 "  --exact           with --self-test: and no other check fails on it\n\n"
                 "Exit code: 0 nothing failed, 1 a check failed, 2 wrong use.\n");
    std::exit(code);
}

Options read_options(int count, char** words) {
    Options o;
    for (int i = 1; i < count; ++i) {
        const std::string word = words[i];
        const auto next = [&]() -> std::string {
            if (i + 1 < count) return words[++i];
            std::fprintf(stderr, "plugcheck: %s wants a value; nothing was checked; --help shows all options\n",
                         word.c_str());
            std::exit(2);
        };
        const auto numeric = [&] {
            const std::string text = next();
            char* end = nullptr;
            const double value = std::strtod(text.c_str(), &end);
            if (end == text.c_str() || *end != '\0' || !(value >= 0.0)) {
                std::fprintf(stderr,
                             "plugcheck: %s wants a number, not %s; nothing was checked; --help shows all options\n",
                             word.c_str(), text.c_str());
                std::exit(2);
            }
            return value;
        };
        if (word == "-h" || word == "--help")
            usage(0);
        else if (word == "--list")
            o.list = true;
        else if (word == "--scan")
            o.scan = true;
        else if (word == "--self-test")
            o.self_test = true;
        else if (word == "--exact")
            o.exact = true;
        else if (word == "--only")
            o.only = next();
        else if (word == "--host")
            o.context.how = next();
        else if (word == "--json")
            o.json = next();
        else if (word == "--seed")
            o.context.seed = static_cast<std::uint64_t>(numeric());
        else if (word == "--cents")
            o.context.cents = numeric();
        else if (word == "--allow")
            o.context.allowed = next();
        else if (word == "--timeout")
            o.timeout = static_cast<int>(numeric());
        else if (word.size() > 1 && word[0] == '-') {
            std::fprintf(stderr, "plugcheck: there is no option %s; nothing was checked; --help shows all options\n",
                         word.c_str());
            std::exit(2);
        } else
            o.paths.push_back(
                std::filesystem::absolute(word).string()); // a bare name would be looked for in the library path
    }
    if (o.context.how == "auto") o.context.how.clear();
    return o;
}

// In a process of its own; what it wants to say comes back through a pipe, a letter and a line each.
Result run(const Check& check, const Options& options, const std::string& path, const std::string& fault = {}) {
    Result result{check.name, check.after, check.says, "FAIL", {}, {}, 0.0};
    int ends[2];
    if (pipe(ends) != 0) std::abort();
    std::fflush(nullptr);
    const auto start = std::chrono::steady_clock::now();
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        setpgid(0, 0);
        if (!fault.empty()) setenv("TUTTI_PLANTED", fault.c_str(), 1);
        Context context = options.context;
        context.path = path;
        try {
            check.run(context);
        } catch (const std::exception& e) {
            context.fail(e.what());
        }
        end_hosts();
        std::string said;
        for (const auto& why : context.failures)
            said += "F" + why + "\n";
        for (const auto& note : context.notes)
            said += "N" + note + "\n";
        if (!context.skipped.empty()) said += "S" + context.skipped + "\n";
        said += "D\n";
        for (std::size_t at = 0; at < said.size();) {
            const ssize_t n = write(ends[1], said.data() + at, said.size() - at);
            if (n <= 0) break;
            at += static_cast<std::size_t>(n);
        }
        std::fflush(nullptr);
        // Leak checkers and the like have their say at the end of a process.
        std::exit(0);
    }
    close(ends[1]);
    std::string said;
    bool late = false;
    for (;;) {
        const auto left = std::chrono::seconds(options.timeout) - (std::chrono::steady_clock::now() - start);
        pollfd wait{ends[0], POLLIN, 0};
        const int ready =
            poll(&wait, 1,
                 std::max(0, static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(left).count())));
        if (ready < 0 && errno == EINTR) continue;
        char text[4096];
        const ssize_t n = ready > 0 ? ::read(ends[0], text, sizeof text) : -1;
        if (ready == 0) late = true;
        if (n <= 0) break;
        said.append(text, static_cast<std::size_t>(n));
    }
    close(ends[0]);
    if (late) kill(-child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    bool done = false, skipped = false;
    for (std::size_t at = 0; at < said.size();) {
        const std::size_t end = said.find('\n', at);
        const std::string line = said.substr(at + 1, end - at - 1);
        if (said[at] == 'F') result.why.push_back(line);
        if (said[at] == 'N') result.notes.push_back(line);
        if (said[at] == 'S') result.why.push_back(line), skipped = true;
        if (said[at] == 'D') done = true;
        at = end == std::string::npos ? said.size() : end + 1;
    }
    if (late)
        result.why = {"it hangs: more than " + std::to_string(options.timeout) + " s"};
    else if (WIFSIGNALED(status))
        result.why.push_back(std::string(done ? "at its end it" : "it") + " crashes: " + strsignal(WTERMSIG(status)));
    else if (!done)
        result.why.push_back("it ends the process with code " + std::to_string(WEXITSTATUS(status)));
    else if (WEXITSTATUS(status) != 0)
        result.why.push_back("the process ends with code " + std::to_string(WEXITSTATUS(status)));
    else if (skipped && result.why.size() == 1)
        result.state = "skip";
    else if (result.why.empty())
        result.state = "ok";
    return result;
}

std::string joined(const std::vector<std::string>& parts) {
    std::string all;
    for (const auto& part : parts)
        all += (all.empty() ? "" : "; ") + part;
    return all;
}

void print(const Result& r) {
    std::printf("%-5s %-28s %s", r.state.c_str(), r.name.c_str(), r.says.c_str());
    if (!r.notes.empty()) std::printf(" [%s]", joined(r.notes).c_str());
    std::printf("\n");
    if (r.state != "ok")
        for (const auto& why : r.why)
            std::printf("      %s\n", why.c_str());
    std::fflush(stdout);
}

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (static_cast<unsigned char>(c) < 0x20) {
            char code[8];
            std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(c));
            out += code;
        } else
            out += c;
    }
    return out + "\"";
}

bool write_json(const std::string& file, const std::vector<std::pair<std::string, std::vector<Result>>>& all) {
    FILE* const out = file == "-" ? stdout : std::fopen(file.c_str(), "w");
    if (out == nullptr) {
        std::fprintf(stderr,
                     "plugcheck: %s cannot be written; the results stand above alone; name a file in a folder that you "
                     "may write\n",
                     file.c_str());
        return false;
    }
    std::fprintf(out, "[");
    for (std::size_t i = 0; i < all.size(); ++i) {
        std::fprintf(out, "%s\n {\"plugin\": %s, \"checks\": [", i > 0 ? "," : "", quoted(all[i].first).c_str());
        for (std::size_t k = 0; k < all[i].second.size(); ++k) {
            const Result& r = all[i].second[k];
            std::fprintf(
                out, "%s\n  {\"check\": %s, \"after\": %s, \"says\": %s, \"result\": %s, \"seconds\": %.3f, \"why\": [",
                k > 0 ? "," : "", quoted(r.name).c_str(), quoted(r.after).c_str(), quoted(r.says).c_str(),
                quoted(r.state).c_str(), r.seconds);
            for (std::size_t w = 0; w < r.why.size(); ++w)
                std::fprintf(out, "%s%s", w > 0 ? ", " : "", quoted(r.why[w]).c_str());
            std::fprintf(out, "], \"notes\": [");
            for (std::size_t w = 0; w < r.notes.size(); ++w)
                std::fprintf(out, "%s%s", w > 0 ? ", " : "", quoted(r.notes[w]).c_str());
            std::fprintf(out, "]}");
        }
        std::fprintf(out, "\n ]}");
    }
    std::fprintf(out, "\n]\n");
    const bool good = std::ferror(out) == 0;
    if (out != stdout) std::fclose(out);
    return good;
}

// A screen without one: an Xvfb of our own, ended with us; its number, or nothing where it has ended by itself.
std::pair<pid_t, std::string> start_server() {
    int ends[2];
    if (pipe(ends) != 0) return {};
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        const std::string number = std::to_string(ends[1]);
        if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(127);
        execlp("Xvfb", "Xvfb", "-displayfd", number.c_str(), "-screen", "0", "1600x1200x24", "-nolisten", "tcp",
               "-noreset", nullptr);
        _exit(127);
    }
    close(ends[1]);
    // The number and the end of its line come in two writes: who closes the pipe between them ends the server with a SIGPIPE, and
    // JUCE crashes without a screen.
    std::string text;
    pollfd wait{ends[0], POLLIN, 0};
    for (char letter = 0; poll(&wait, 1, 10000) == 1 && ::read(ends[0], &letter, 1) == 1 && letter != '\n';)
        text += letter;
    close(ends[0]);
    return {child, text};
}

void end_server(pid_t server) {
    if (server <= 0) return;
    kill(server, SIGTERM);
    waitpid(server, nullptr, 0);
}

// Servers that start at once take each other's numbers, and the loser ends: it is asked again.
pid_t start_screen() {
    if (std::getenv("DISPLAY") != nullptr) return 0;
    for (int turn = 0; turn < 5; ++turn) {
        const auto [server, number] = start_server();
        if (!number.empty()) {
            setenv("DISPLAY", (":" + number).c_str(), 1);
            return server;
        }
        end_server(server);
        usleep(200'000);
    }
    return 0;
}

int self_test(const Options& options, const std::vector<const Check*>& chosen) {
    int wrong = 0, found = 0;
    const std::string& path = options.paths[0];
    for (const Check* check : chosen) {
        if (!check->format.empty() && check->format != format_of(path, options.context.how)) continue;
        const Result good = run(*check, options, path);
        if (good.state == "FAIL") {
            std::printf("FAIL  %-28s fails on the plugin without a fault: %s\n", check->name, joined(good.why).c_str());
            ++wrong;
            continue;
        }
        if (good.state == "skip") {
            std::printf("skip  %-28s %s\n", check->name, joined(good.why).c_str());
            continue;
        }
        // A fault that no switch can plant stands in an object of its own.
        std::string of_its_own = path;
        of_its_own.insert(path.rfind('.'), std::string("-") + check->name);
        const Result bad = run(*check, options, std::filesystem::exists(of_its_own) ? of_its_own : path, check->name);
        if (bad.state != "FAIL") {
            std::printf("FAIL  %-28s does not find the fault that was planted for it\n", check->name);
            ++wrong;
            continue;
        }
        ++found;
        std::printf("ok    %-28s %s\n", check->name, bad.why[0].c_str());
        std::fflush(stdout);
        if (!options.exact) continue;
        for (const Check* other : chosen) {
            if (other == check || (!other->format.empty() && other->format != format_of(path, options.context.how)))
                continue;
            const Result result = run(*other, options, path, check->name);
            if (result.state == "FAIL") {
                std::printf("FAIL  %-28s is hit by the fault of %s, too: %s\n", other->name, check->name,
                            result.why[0].c_str());
                ++wrong;
            }
        }
    }
    std::printf("%d planted faults found, %d wrong\n", found, wrong);
    return wrong > 0 || found == 0 ? 1 : 0;
}

} // namespace
} // namespace tutti::host

int main(int count, char** words) {
    using namespace tutti::host;
    Options options = read_options(count, words);
    std::vector<const Check*> chosen;
    try {
        const std::regex pattern(options.only);
        for (const Check& check : checks())
            if (options.only.empty() || std::regex_search(check.name, pattern)) chosen.push_back(&check);
    } catch (const std::regex_error&) {
        std::fprintf(stderr, "plugcheck: %s is no regular expression; nothing was checked; --list shows the names\n",
                     options.only.c_str());
        return 2;
    }
    if (options.list) {
        for (const Check* check : chosen)
            std::printf("%-28s %-40s %s\n", check->name, check->after, check->says);
        return 0;
    }
    if (options.paths.empty()) usage(2);
    for (const auto& path : options.paths)
        if (!std::filesystem::exists(path)) {
            std::fprintf(stderr,
                         "plugcheck: there is no %s; nothing was checked; name a .vst3, .lv2 or .clap that was built\n",
                         path.c_str());
            return 2;
        }
    if (chosen.empty()) {
        std::fprintf(stderr, "plugcheck: no check matches %s; nothing was checked; --list shows the names\n",
                     options.only.c_str());
        return 2;
    }
    if (options.scan) {
        for (const auto& path : options.paths)
            try {
                const auto plugin = load(path, options.context.how);
                std::printf("%s: %s %s by %s, %s, %zu parameters\n", path.c_str(), plugin->name().c_str(),
                            plugin->version().c_str(), plugin->vendor().c_str(), plugin->format().c_str(),
                            plugin->parameters().size());
            } catch (const std::exception& e) {
                std::fprintf(stderr, "plugcheck: %s %s\n", path.c_str(), e.what());
                end_hosts();
                return 1;
            }
        end_hosts();
        return 0;
    }
    const pid_t screen = start_screen();
    int failed = 0, passed = 0, skipped = 0;
    if (options.self_test)
        failed = self_test(options, chosen);
    else {
        std::vector<std::pair<std::string, std::vector<Result>>> all;
        for (const auto& path : options.paths) {
            std::printf("== %s\n", path.c_str());
            all.emplace_back(path, std::vector<Result>());
            for (const Check* check : chosen) {
                if (!check->format.empty() && check->format != format_of(path, options.context.how)) continue;
                all.back().second.push_back(run(*check, options, path));
                const Result& r = all.back().second.back();
                print(r);
                (r.state == "ok" ? passed : r.state == "skip" ? skipped : failed) += 1;
            }
        }
        std::printf("%d passed, %d failed, %d skipped; seed %llu\n", passed, failed, skipped,
                    static_cast<unsigned long long>(options.context.seed));
        if (!options.json.empty() && !write_json(options.json, all)) failed = 1;
    }
    end_server(screen);
    return failed > 0 ? 1 : 0;
}
