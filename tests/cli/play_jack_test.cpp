// SPDX-License-Identifier: MIT
// `tutti play` on a real sound server without hardware: it plays, Ctrl-C ends it, a server that dies is told. Skipped
// without jackd.
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "tests/io/jack_server.h"

using namespace tutti::test;

namespace {

const bool k_ready = !JackPlace::get().name().empty();

// A run of the program; what it says goes to a file.
class Program {
public:
    explicit Program(const std::vector<std::string>& words) {
        m_said = std::filesystem::temp_directory_path() / ("tutti-play-" + std::to_string(getpid()) + ".txt");
        m_process = fork();
        if (m_process == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            const int out = open(m_said.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
            dup2(out, 1);
            dup2(out, 2);
            std::vector<char*> arguments = {const_cast<char*>(TUTTI_PROGRAM)};
            for (const std::string& word : words)
                arguments.push_back(const_cast<char*>(word.c_str()));
            arguments.push_back(nullptr);
            execv(TUTTI_PROGRAM, arguments.data());
            _exit(127);
        }
    }
    ~Program() {
        if (m_process > 0) {
            kill(m_process, SIGKILL);
            waitpid(m_process, nullptr, 0);
        }
        std::filesystem::remove(m_said);
    }
    void send(int signal) { kill(m_process, signal); }
    // The exit code, or -1 where it has not ended in time.
    int wait() {
        int status = 0;
        if (!soon([&] { return waitpid(m_process, &status, WNOHANG) == m_process; })) return -1;
        m_process = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
    }
    std::string said() const {
        std::ifstream file(m_said);
        return {std::istreambuf_iterator<char>(file), {}};
    }

private:
    pid_t m_process = -1;
    std::filesystem::path m_said;
};

const std::string k_song = std::string(TUTTI_SOURCE_DIR) + "/music/bach-chorale.mid";

// The number under which the program lists the server's device, or empty.
std::string device() {
    std::string number;
    soon([&] {
        Program list({"devices"});
        if (list.wait() != 0) return false;
        const std::string text = list.said();
        const auto jack = text.find("JACK");
        if (jack == std::string::npos) return false;
        const auto line = text.rfind('\n', jack) + 1;
        const auto digit = text.find_first_of("0123456789", line);
        number = text.substr(digit, text.find(' ', digit) - digit);
        return true;
    });
    return number;
}

struct Recording {
    std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("tutti-play-" + std::to_string(getpid()) + ".wav");
    ~Recording() { std::filesystem::remove(path); }
    // Of the file that it is until it is whole: its name with a point before and an ending behind.
    std::uintmax_t bytes_so_far() const {
        std::error_code error;
        for (const auto& entry : std::filesystem::directory_iterator(path.parent_path(), error))
            if (entry.path().filename().string().rfind("." + path.filename().string(), 0) == 0)
                return std::filesystem::file_size(entry.path(), error);
        return 0;
    }
};

} // namespace

TEST_CASE("a song plays on the server, and what was heard is recorded") {
    REQUIRE(k_ready);
    JackServer jack("48000", "256");
    const std::string number = device();
    REQUIRE_FALSE(number.empty());
    Recording recording;
    Program play(
        {"play", k_song, "--device", number, "--no-midi", "--seconds", "2", "--record", recording.path.string()});
    const int code = play.wait();
    CAPTURE(play.said());
    CHECK(code == 0);
    CHECK(play.said().find("48000 Hz") != std::string::npos);
    CHECK(play.said().find("underruns") != std::string::npos);
    REQUIRE(std::filesystem::exists(recording.path));
    CHECK(std::filesystem::file_size(recording.path) > 48000u * 6u); // a second of 24-bit stereo at least
    std::ifstream file(recording.path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    std::size_t loud = 0;
    for (std::size_t i = 44; i < bytes.size(); ++i)
        loud += bytes[i] != 0;
    CHECK(loud > 48000u);
}

TEST_CASE("Ctrl-C ends it; a server that dies is told in one line and by the exit code") {
    JackServer jack("48000", "256");
    const std::string number = device();
    REQUIRE_FALSE(number.empty());
    {
        Program play({"play", k_song, "--device", number, "--no-midi"});
        REQUIRE(soon([&] { return play.said().find("48000 Hz") != std::string::npos; }));
        play.send(SIGINT);
        const int code = play.wait();
        CAPTURE(play.said());
        CHECK(code == 130);
    }
    Program play({"play", k_song, "--device", number, "--no-midi", "--wait", "0"});
    REQUIRE(soon([&] { return play.said().find("48000 Hz") != std::string::npos; }));
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    jack.end(SIGKILL);
    const int code = play.wait();
    CAPTURE(play.said());
    CHECK(code == 3);
    CHECK(play.said().find("has gone") != std::string::npos);
}

TEST_CASE(
    "fault 61: a server that ends while a song plays: one process plays on when it is back, at its rate or another") {
    std::optional<JackServer> jack;
    jack.emplace("48000", "256");
    const std::string number = device();
    REQUIRE_FALSE(number.empty());
    Recording recording;
    Program play({"play", k_song, "--device", number, "--no-midi"});
    const auto said = [&](const char* words) {
        return soon([&] { return play.said().find(words) != std::string::npos; });
    };
    REQUIRE(said("48000 Hz"));
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    jack->end(SIGKILL);
    CHECK(said("waiting 60 s"));
    jack.emplace("48000", "256");
    CHECK(said("back at 48000 Hz"));
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    jack->end(SIGTERM);
    jack.emplace("44100", "128"); // the song goes on from there on another stream
    CHECK(said("back at 44100 Hz"));
    CHECK(said("44100 Hz, "));
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    play.send(SIGINT);
    const int code = play.wait();
    CAPTURE(play.said());
    CHECK(code == 130);
}

TEST_CASE("a recording ends where the device went, if it comes back at another rate; nothing of it is lost") {
    std::optional<JackServer> jack;
    jack.emplace("48000", "256");
    const std::string number = device();
    REQUIRE_FALSE(number.empty());
    Recording recording;
    Program play({"play", k_song, "--device", number, "--no-midi", "--record", recording.path.string()});
    REQUIRE(soon([&] { return play.said().find("48000 Hz") != std::string::npos; }));
    REQUIRE(soon([&] { return recording.bytes_so_far() > 24000u * 6u; }));
    jack->end(SIGKILL);
    jack.emplace("44100", "128");
    const int code = play.wait();
    CAPTURE(play.said());
    CHECK(code == 3);
    CHECK(play.said().find("the recording has 48000") != std::string::npos);
    REQUIRE(std::filesystem::exists(recording.path));
    CHECK(std::filesystem::file_size(recording.path) > 24000u * 6u);
}

TEST_CASE("who does not wait for the device may go") {
    JackServer jack("48000", "256");
    const std::string number = device();
    REQUIRE_FALSE(number.empty());
    Program play({"play", k_song, "--device", number, "--no-midi"});
    REQUIRE(soon([&] { return play.said().find("48000 Hz") != std::string::npos; }));
    jack.end(SIGKILL);
    REQUIRE(soon([&] { return play.said().find("waiting") != std::string::npos; }));
    play.send(SIGINT);
    const int code = play.wait();
    CAPTURE(play.said());
    CHECK(code == 130);
}
