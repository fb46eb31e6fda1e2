// SPDX-License-Identifier: MIT
// The shared object itself: how fast it is scanned, what it touches, what it shows. And the editor.
#include <algorithm>
#include <atomic>
#include <cfenv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>
#include <thread>

#include <dlfcn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__SSE__) || defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "tests/host/plugcheck/check.h"
#include "tests/host/plugcheck/watch.h"

namespace tutti::host {
namespace {

struct Output {
    int code = -1;
    std::string text;
};

// The words are no shell's: a path may hold anything.
Output run(const std::vector<std::string>& words) {
    int ends[2];
    if (pipe(ends) != 0) return {};
    const pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 1);
        dup2(ends[1], 2);
        close(ends[0]);
        close(ends[1]);
        std::vector<char*> list;
        for (const auto& word : words)
            list.push_back(const_cast<char*>(word.c_str()));
        list.push_back(nullptr);
        execvp(list[0], list.data());
        _exit(127);
    }
    close(ends[1]);
    Output output;
    char text[4096];
    for (ssize_t n; (n = read(ends[0], text, sizeof text)) > 0;)
        output.text.append(text, static_cast<std::size_t>(n));
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    output.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return output;
}

double processor_milliseconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
           static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-3;
}

void scan_time(Context& context) {
    // Processor time: what the plugin does, not how busy the machine is.
    const double before = processor_milliseconds();
    const auto start = std::chrono::steady_clock::now();
    {
        const auto plugin = context.make();
        (void)plugin->name();
        (void)plugin->parameters();
    }
    const double took = processor_milliseconds() - before;
    const double wall = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    context.check(sanitized() || took < 100.0,
                  "loaded and described in " + number(took) + " ms of processor time, over 100");
    context.note("loaded and described in " + number(std::round(wall * 10.0) / 10.0) + " ms, " +
                 number(std::round(took * 10.0) / 10.0) + " ms of processor time");
}

void scan_touches(Context& context) {
    if (run({"strace", "-V"}).code != 0) return context.skip("strace is not installed");
    const auto log = std::filesystem::temp_directory_path() / ("plugcheck-" + std::to_string(getpid()) + ".strace");
    const Output scanned = run({"strace", "-f", "-o", log.string(), "-e", "trace=%network,%file,%process",
                                std::filesystem::read_symlink("/proc/self/exe").string(), "--scan", "--host",
                                context.how.empty() ? "auto" : context.how, context.path});
    std::string text;
    if (FILE* file = std::fopen(log.c_str(), "r")) {
        char piece[4096];
        for (std::size_t n; (n = std::fread(piece, 1, sizeof piece, file)) > 0;)
            text.append(piece, n);
        std::fclose(file);
    }
    std::filesystem::remove(log);
    if (scanned.code != 0 || text.find("exited with 0") == std::string::npos) {
        if (text.empty() || text.find("ptrace") != std::string::npos) return context.skip("strace may not trace here");
        return context.fail("the scan ended with code " + number(scanned.code));
    }
    // It is seen from where the shared object is opened: what came before is the host's own.
    const std::string object = std::filesystem::path(shared_object(context.path)).filename().string();
    const std::size_t from = text.find(object + "\", O_RDONLY|O_CLOEXEC");
    if (!context.check(from != std::string::npos, "the scan never opened " + object)) return;
    std::istringstream lines(text.substr(from));
    for (std::string line; std::getline(lines, line);) {
        for (const char* touched : {"/dev/nvidia", "/dev/dri", "/dev/kfd", "libcuda", "libnvrtc", "libtorch",
                                    "libOpenCL", "libvulkan", "/dev/snd"})
            if (line.find(touched) != std::string::npos)
                context.fail("the scan touches " + std::string(touched) + ": " + line.substr(0, 160));
        // A screen's socket is a local one, and the host's.
        if (line.find("socket(AF_INET") != std::string::npos || line.find("socket(AF_NETLINK") != std::string::npos ||
            line.find("connect(") != std::string::npos)
            if (line.find("AF_UNIX") == std::string::npos)
                context.fail("the scan uses the network: " + line.substr(0, 160));
        for (const char* made : {" execve(", " fork(", " vfork("})
            if (line.find(made) != std::string::npos) context.fail("the scan starts a process: " + line.substr(0, 160));
    }
}

void scan_float_state(Context& context) {
    const std::string object = shared_object(context.path);
    unsigned before = 0, after = 0;
    const int rounding = std::fegetround();
#if defined(__SSE__) || defined(__x86_64__)
    before = _mm_getcsr() & ~0x3fu;
#endif
    void* const handle = dlopen(object.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!context.check(handle != nullptr, "it cannot be loaded: " + std::string(handle == nullptr ? dlerror() : "")))
        return;
#if defined(__SSE__) || defined(__x86_64__)
    after = _mm_getcsr() & ~0x3fu;
    _mm_setcsr(before);
#endif
    context.check(before == after, "loading it changes MXCSR from " + number(before) + " to " + number(after));
    context.check(std::fegetround() == rounding, "loading it changes the rounding mode");
    std::fesetround(rounding);
    const auto plugin = context.make();
#if defined(__SSE__) || defined(__x86_64__)
    context.check((_mm_getcsr() & ~0x3fu) == before, "an instance changes MXCSR");
#endif
    context.check(std::fegetround() == rounding, "an instance changes the rounding mode");
}

void symbols(Context& context) {
    const std::string object = shared_object(context.path);
    const Output listed = run({"nm", "-D", "--defined-only", object});
    if (listed.code == 127) return context.skip("nm is not installed");
    if (!context.check(listed.code == 0, "nm cannot read it: " + listed.text.substr(0, 120))) return;
    std::set<std::string> allowed{"clap_entry",     "GetPluginFactory", "ModuleEntry",       "ModuleExit",
                                  "lv2_descriptor", "lv2ui_descriptor", "lv2_lib_descriptor"};
    std::istringstream more(context.allowed);
    for (std::string word; std::getline(more, word, ',');)
        allowed.insert(word);
    std::istringstream lines(listed.text);
    int entries = 0, others = 0;
    for (std::string line; std::getline(lines, line);) {
        const std::string name = line.substr(line.find_last_of(' ') + 1);
        // Vague linkage across objects ("u"): the dynamic linker must see those that stand for one thing in a process.
        if (allowed.contains(name))
            ++entries;
        else if (++others <= 4)
            context.fail("it shows " + name);
    }
    context.check(others <= 4, "and " + number(others - 4) + " more");
    context.check(entries > 0, "it shows no entry point of a format");
}

void second_copy(Context& context) {
    // The same object under another name, as an older version in another folder would be.
    const std::string object = shared_object(context.path);
    const auto folder = std::filesystem::temp_directory_path() / ("plugcheck-copy-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    const auto copy = folder / ("other-" + std::filesystem::path(object).filename().string());
    std::filesystem::copy_file(object, copy, std::filesystem::copy_options::overwrite_existing);
    const auto first = context.make();
    context.check(first->prepare(48000.0, 256), "refuses 48 kHz");
    const auto events = phrase(*first, 9600, context.seed);
    const Sound alone = render(*first, events, 9600, {256});
    void* const handle = dlopen(copy.c_str(), RTLD_NOW | RTLD_LOCAL);
    context.check(handle != nullptr, "a second copy cannot be loaded");
    const auto second = context.make();
    context.check(second->prepare(48000.0, 256) && render(*second, events, 9600, {256}) == alone,
                  "beside a second copy it sounds otherwise");
    if (handle != nullptr) dlclose(handle);
    std::filesystem::remove_all(folder);
}

void unload(Context& context) {
    const std::string object = shared_object(context.path);
    const auto mapped = [&] {
        int count = 0;
        if (FILE* file = std::fopen("/proc/self/maps", "r")) {
            char line[1024];
            while (std::fgets(line, sizeof line, file) != nullptr)
                ++count;
            std::fclose(file);
        }
        return count;
    };
    int before = 0;
    for (int k = 0; k < 60; ++k) {
        void* const handle = dlopen(object.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (!context.check(handle != nullptr, "it cannot be loaded a second time")) return;
        dlclose(handle);
        if (k == 9) before = mapped();
    }
    const int after = mapped();
    context.check(after <= before + 8, number(after - before) + " more mappings after 50 loads and unloads");
}

bool with_screen(Context& context, Plugin& plugin) {
    if (!plugin.has_editor())
        context.skip("it has no editor in this host");
    else if (std::getenv("DISPLAY") == nullptr)
        context.skip("there is no screen; Debian: xvfb");
    return context.skipped.empty();
}

void editor_opens(Context& context) {
    const auto plugin = context.make();
    if (!with_screen(context, *plugin)) return;
    for (const char* when : {"cold", "warm", "a third time"}) {
        const auto editor = plugin->open_editor();
        if (!context.check(editor != nullptr, std::string("its editor does not open ") + when)) return;
        plugin->idle(30);
        context.check(editor->width() > 50 && editor->height() > 50 && editor->width() < 10000 &&
                          editor->height() < 10000,
                      "its editor is " + number(editor->width()) + " x " + number(editor->height()));
        context.note(number(editor->width()) + " x " + number(editor->height()));
    }
}

void editor_plays(Context& context) {
    const auto plugin = context.make();
    if (!with_screen(context, *plugin)) return;
    context.check(plugin->prepare(48000.0, 64), "refuses 48 kHz");
    int bad = 0;
    std::atomic<bool> done{false};
    std::thread audio([&] {
        for (int k = 0; k < 6; ++k)
            bad += broken(render(*plugin, phrase(*plugin, 48000, context.seed), 48000, {64}));
        done = true;
    });
    auto random = context.random();
    int opened = 0;
    while (!done || opened < 3) {
        const auto editor = plugin->open_editor();
        if (editor == nullptr) {
            context.fail("its editor does not open while it plays");
            break;
        }
        ++opened;
        for (int k = 0; k < 10 && !plugin->parameters().empty(); ++k) {
            const auto which = random() % plugin->parameters().size();
            const Parameter& p = plugin->parameters()[which];
            plugin->set(static_cast<int>(which),
                        p.minimum + (p.maximum - p.minimum) * static_cast<double>(random() % 101) / 100.0);
            plugin->idle(2);
        }
    }
    audio.join();
    context.check(bad == 0, number(bad) + " samples that are not finite or subnormal");
}

void editor_stress(Context& context) {
    const auto plugin = context.make();
    if (!with_screen(context, *plugin)) return;
    for (int k = 0; k < 25; ++k) {
        if (k % 5 == 1) (void)plugin->prepare(0.0, 0);
        if (k % 5 == 2) (void)plugin->prepare(48000.0, 64);
        if (k % 5 == 3) plugin->release();
        const auto editor = plugin->open_editor();
        if (!context.check(editor != nullptr, "its editor does not open the " + number(k + 1) + "th time")) return;
        editor->resize(400 + k * 40, 300 + k * 20);
        plugin->idle(k % 4 == 0 ? 10 : 0);
    }
    context.check(plugin->prepare(48000.0, 64), "refuses 48 kHz afterwards");
    context.check(peak(render(*plugin, {note_on(0, 60)}, 9600, {64})) > 0.001f, "afterwards it is silent");
}

void editor_automation(Context& context) {
    const auto plugin = context.make();
    if (!with_screen(context, *plugin) || plugin->parameters().empty()) return;
    context.check(plugin->prepare(48000.0, 256), "refuses 48 kHz");
    const auto editor = plugin->open_editor();
    if (!context.check(editor != nullptr, "its editor does not open")) return;
    auto random = context.random();
    std::atomic<bool> done{false};
    std::thread background([&] { // projects are saved there
        while (!done) {
            const Bytes state = plugin->save();
            (void)state;
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    });
    int slow = 0;
    for (int round = 0; round < 1000; ++round) {
        const auto which = random() % plugin->parameters().size();
        const Parameter& p = plugin->parameters()[which];
        plugin->set(static_cast<int>(which),
                    p.minimum + (p.maximum - p.minimum) * static_cast<double>(random() % 101) / 100.0);
        if (round % 25 == 0) {
            const double before = processor_milliseconds();
            plugin->idle(1);
            slow += static_cast<int>(processor_milliseconds() - before > 50.0);
        }
    }
    done = true;
    background.join();
    context.check(sanitized() || slow <= 1,
                  number(slow) + " of 40 turns of the message loop took over 50 ms of processor time");
}

} // namespace

// fault 21: a changed floating-point state of the host: loading and playing leave MXCSR and the rounding mode alone
// fault 37: a scan that is slow or touches the machine: under 100 ms of processor time, no GPU, no network, no process
// fault 43: symbols that clash: the entry points alone are visible, and a second copy changes nothing
std::vector<Check> module_checks() {
    return {
        {"scan.time", "clap-validator, fault 37", "loaded and described in less than 100 ms of processor time",
         scan_time},
        {"scan.touches_nothing", "fault 37", "no GPU, no libtorch, no network, no process, as strace sees it",
         scan_touches},
        {"scan.float_state", "fault 21", "loading changes neither MXCSR nor the rounding mode", scan_float_state},
        {"scan.symbols", "lv2lint, fault 43", "nothing but the format's entry points is visible", symbols},
        {"scan.second_copy", "fault 43", "a second copy in the same process changes nothing", second_copy},
        {"scan.unload", "clap-validator, fault 38", "50 times loaded and unloaded: no mapping is left", unload},
    };
}

// fault 36: an editor opened at the wrong time: released, at rate 0, while it plays, again and again
std::vector<Check> editor_checks() {
    return {
        {"editor.opens", "pluginval 2", "it opens cold, warm, and once more", editor_opens},
        {"editor.plays", "pluginval 4, fault 36",
         "it opens and closes while the audio thread plays and parameters move", editor_plays},
        {"editor.stress", "pluginval 6, fault 36", "released, at rate 0 and block 0, resized, 25 times", editor_stress},
        {"editor.automation", "pluginval 5, 7, fault 36",
         "1,000 parameter changes and states saved behind it: no turn of the loop over 50 ms", editor_automation},
    };
}

} // namespace tutti::host
