// SPDX-License-Identifier: MIT
// A JACK server without hardware for one test: its own registry, seen by this process alone and gone with it, however it ends.
#pragma once

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tutti::test {

// Generous: a busy machine may take its time, a broken one never gets there.
template <class Condition>
bool soon(Condition condition, std::chrono::milliseconds limit = std::chrono::seconds(120)) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (std::chrono::steady_clock::now() < end) {
        if (condition()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return condition();
}

[[noreturn]] inline void skip(const std::string& why) {
    std::printf("SKIP: %s\n", why.c_str());
    std::fflush(stdout);
    std::_Exit(77);
}

// What JACK keeps lies in /dev/shm: a registry of eight servers in all, in which a killed one keeps its place. So this process
// gets a /dev/shm of its own where the kernel lets it, else the one name that every such test takes in turn: a server takes
// over the place that a dead one of its name has left. Call it before the first thread, from a static initializer.
class JackPlace {
public:
    static JackPlace& get() {
        static JackPlace place;
        return place;
    }
    const std::string& name() const { return m_name; }
    bool own() const { return m_own; }

private:
    JackPlace() {
        if (std::system("command -v jackd >/dev/null 2>&1 && command -v jack_wait >/dev/null 2>&1") != 0)
            skip("jackd is not installed");
        // A process that such a test has begun is in that test's place.
        if (const char* place = std::getenv("TUTTI_TEST_PLACE"); place != nullptr) {
            m_name = place;
            return;
        }
        m_own = own_shared_memory();
        auto folder = std::filesystem::path("/dev/shm");
        if (!m_own) {
            folder = std::filesystem::temp_directory_path();
            // Held until this process ends.
            const int lock = open((folder / (m_name + ".lock")).c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666);
            if (lock < 0 || flock(lock, LOCK_EX) != 0) skip("no lock for the server's name");
        }
        setenv("JACK_DEFAULT_SERVER", m_name.c_str(), 1);
        setenv("JACK_NO_START_SERVER", "1", 1);
        setenv("JACK_NO_AUDIO_RESERVATION", "1", 1);
        // Nothing of this machine's own sound: ALSA has a device that plays to nowhere.
        const auto conf = folder / (m_name + ".conf");
        std::ofstream(conf) << "defaults.pcm.card 0\npcm.!default { type null }\nctl.!default { type null }\n";
        setenv("ALSA_CONFIG_PATH", conf.c_str(), 1);
    }

    static void write(const char* file, const std::string& text) { std::ofstream(file) << text; }
    static bool own_shared_memory() {
        const std::string user = std::to_string(getuid()), group = std::to_string(getgid());
        if (unshare(CLONE_NEWNS | CLONE_NEWIPC) != 0) {
            if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC) != 0) return false;
            write("/proc/self/setgroups", "deny");
            write("/proc/self/uid_map", user + " " + user + " 1");
            write("/proc/self/gid_map", group + " " + group + " 1");
        }
        return mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
               mount("tutti", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "size=256m") == 0;
    }

    std::string m_name = "tutti-test";
    bool m_own = false;
};

class JackServer {
public:
    // Comes up, or the whole test is skipped with what the server said.
    explicit JackServer(const char* rate, const char* period = "128") {
        const JackPlace& place = JackPlace::get();
        const std::string name = "-n" + place.name();
        const auto said = std::filesystem::path(place.own() ? "/dev/shm" : std::filesystem::temp_directory_path()) /
                          (place.name() + ".log");
        const pid_t parent = getpid();
        m_process = fork();
        if (m_process == 0) {
            // Ends with us: where the memory is ours nothing is left behind, elsewhere it may tidy up.
            prctl(PR_SET_PDEATHSIG, place.own() ? SIGKILL : SIGTERM);
            if (getppid() != parent) _exit(1);
            const int log = open(said.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
            dup2(log, 1);
            dup2(log, 2);
            execlp("jackd", "jackd", name.c_str(), "-r", "-d", "dummy", "-r", rate, "-p", period, nullptr);
            _exit(127);
        }
        const std::string wait = "jack_wait -s " + place.name() + " -w -t 1 >/dev/null 2>&1";
        bool up = false;
        for (int second = 0; second < 120 && !up && m_process > 0; ++second) {
            up = std::system(wait.c_str()) == 0;
            if (waitpid(m_process, nullptr, WNOHANG) != 0) m_process = -1;
        }
        if (up && m_process > 0) return;
        std::string line, last;
        for (std::ifstream log(said); std::getline(log, line);)
            if (!line.empty()) last = line;
        end(SIGKILL);
        skip("the JACK server did not come up: " + (last.empty() ? "it said nothing" : last));
    }
    ~JackServer() { end(SIGTERM); }
    JackServer(const JackServer&) = delete;
    JackServer& operator=(const JackServer&) = delete;

    void end(int signal) {
        if (m_process <= 0) return;
        kill(m_process, signal);
        waitpid(m_process, nullptr, 0);
        m_process = -1;
        // Where the registry is shared, one more of the same name takes over what the killed one left, and tidies it up.
        if (signal == SIGKILL && !JackPlace::get().own()) {
            const std::string again =
                "timeout -s TERM 1 jackd -n" + JackPlace::get().name() + " -r -d dummy >/dev/null 2>&1; true";
            if (std::system(again.c_str()) != 0) std::puts("the killed server's place was not tidied up");
        }
    }
    bool there() const { return m_process > 0; }
    void pause() const { kill(m_process, SIGSTOP); }
    void go_on() const { kill(m_process, SIGCONT); }

private:
    pid_t m_process = -1;
};

} // namespace tutti::test
