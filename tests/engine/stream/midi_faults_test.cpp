// SPDX-License-Identifier: MIT
// Every MIDI message once as a row with what must follow, through a wire that may be faulty: each planted fault is found.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "tests/engine/stream/fake.h"

using tutti::Event;
namespace voices = tutti::voices;

namespace {

struct Message {
    int status, data1, data2;
};
// What a faulty wire makes of a message; false: it is lost.
using Wire = std::function<bool(Message&)>;

struct Receiver {
    explicit Receiver(const Wire& wire) : rig({.limiter = false}, false, &probe), m_wire(wire) {
        REQUIRE(rig.stream->set_patch(0, fake::patch()).ok());
        REQUIRE(rig.stream->set_patch(1, fake::patch()).ok());
        sender = rig.stream->make_sender().value();
    }
    void send(std::vector<Message> messages) {
        for (Message& message : messages) {
            if (!m_wire || m_wire(message))
                REQUIRE(sender.post(Event::midi(tutti::k_asap, message.status & 15, message.status & 0xf0,
                                                message.data1 & 127, message.data2 & 127)));
            pass(640);
        }
    }
    void pass(int frames) { rig.render(frames, 64); }
    int held() {
        pass(9600);
        return rig.stream->stats().voices;
    }
    // 1e9 where nothing sounds.
    float pitch() const {
        return probe.banks.empty() || probe.banks[0].lanes.empty() ? 1e9f : probe.banks[0].lanes[0].pitch();
    }
    float lane(int input) const {
        return probe.banks.empty() || probe.banks[0].lanes.empty() ? 1e9f : probe.banks[0].lanes[0].input(input);
    }
    float input(int i) const { return probe.banks.empty() ? 1e9f : probe.banks[0].input(i); }

    fake::Probe probe;
    fake::Rig rig;
    tutti::Sender sender;
    Wire m_wire;
};

bool near(float a, double b) {
    return std::fabs(static_cast<double>(a) - b) < 0.02;
}

struct Row {
    const char* name;
    std::vector<Message> messages;
    std::function<bool(Receiver&)> holds;
};

const std::vector<Row>& rows() {
    static const Message k_on = {0x90, 60, 127};
    static const std::vector<Row> all = {
        {"note on",
         {{0x90, 67, 127}},
         [](Receiver& r) { return near(r.pitch(), 67.0) && near(r.lane(voices::input_velocity), 1.0); }},
        {"note off", {k_on, {0x80, 60, 64}}, [](Receiver& r) { return r.held() == 0; }},
        {"note off by velocity 0", {k_on, {0x90, 60, 0}}, [](Receiver& r) { return r.held() == 0; }},
        {"polyphonic pressure",
         {k_on, {0xa0, 60, 127}},
         [](Receiver& r) { return near(r.lane(voices::input_pressure), 1.0); }},
        {"wheel",
         {k_on, {0xb0, 1, 127}},
         [](Receiver& r) {
             r.pass(4800);
             return near(r.input(voices::part_wheel), 1.0);
         }},
        {"breath",
         {k_on, {0xb0, 2, 127}},
         [](Receiver& r) {
             r.pass(4800);
             return near(r.input(voices::part_breath), 1.0);
         }},
        {"expression",
         {k_on, {0xb0, 11, 0}},
         [](Receiver& r) {
             r.pass(4800);
             return near(r.input(voices::part_expression), 0.0);
         }},
        {"macro",
         {k_on, {0xb0, 16, 127}},
         [](Receiver& r) {
             r.pass(4800);
             return near(r.input(voices::part_macro1), 1.0);
         }},
        {"timbre", {k_on, {0xb0, 74, 127}}, [](Receiver& r) { return near(r.lane(voices::input_timbre), 1.0); }},
        {"sustain", {k_on, {0xb0, 64, 127}, {0x80, 60, 64}}, [](Receiver& r) { return r.held() == 1; }},
        {"sustain up",
         {k_on, {0xb0, 64, 127}, {0x80, 60, 64}, {0xb0, 64, 0}},
         [](Receiver& r) { return r.held() == 0; }},
        {"sostenuto",
         {k_on, {0xb0, 66, 127}, {0x80, 60, 64}, {0x90, 62, 100}, {0x80, 62, 64}},
         [](Receiver& r) { return r.held() == 1; }},
        {"soft", {{0xb0, 67, 127}, k_on}, [](Receiver& r) { return near(r.lane(voices::input_velocity), 2.0 / 3.0); }},
        {"channel pressure",
         {k_on, {0xd0, 127, 0}},
         [](Receiver& r) {
             r.pass(4800);
             return near(r.input(voices::part_pressure), 1.0);
         }},
        {"bend",
         {k_on, {0xe0, 0, 96}},
         [](Receiver& r) {
             r.pass(4800);
             return near(r.input(voices::part_bend), 1.0);
         }},
        {"bend range",
         {k_on, {0xb0, 101, 0}, {0xb0, 100, 0}, {0xb0, 6, 12}, {0xe0, 127, 127}},
         [](Receiver& r) {
             r.pass(4800);
             return near(r.input(voices::part_bend), 12.0);
         }},
        {"coarse tuning",
         {k_on, {0xb0, 101, 0}, {0xb0, 100, 2}, {0xb0, 6, 67}},
         [](Receiver& r) { return near(r.pitch(), 63.0); }},
        {"all sound off", {k_on, {0xb0, 120, 0}}, [](Receiver& r) { return r.held() == 0; }},
        {"reset controllers",
         {k_on, {0xb0, 1, 127}, {0xb0, 121, 0}},
         [](Receiver& r) {
             r.pass(4800);
             return near(r.input(voices::part_wheel), 0.0);
         }},
        {"all notes off", {k_on, {0x90, 64, 90}, {0xb0, 123, 0}}, [](Receiver& r) { return r.held() == 0; }},
        {"mono", {{0xb0, 126, 1}, k_on, {0x90, 64, 90}}, [](Receiver& r) { return r.held() == 1; }},
        {"poly", {{0xb0, 126, 1}, {0xb0, 127, 0}, k_on, {0x90, 64, 90}}, [](Receiver& r) { return r.held() == 2; }},
        {"channels apart", {k_on, {0x91, 62, 90}, {0xb1, 123, 0}}, [](Receiver& r) { return r.held() == 1; }},
    };
    return all;
}

// The names of the rows that do not hold.
std::string broken(const Wire& wire) {
    std::string names;
    for (const Row& row : rows()) {
        Receiver receiver(wire);
        receiver.send(row.messages);
        if (!row.holds(receiver)) names += std::string(row.name) + "; ";
    }
    return names;
}

} // namespace

TEST_CASE("every message does what it says; red controls: what a faulty wire makes of them is named") {
    CHECK(broken({}) == "");
    const auto names = [](const Wire& wire, const char* row) {
        const std::string found = broken(wire);
        CAPTURE(found);
        return found.find(row) != std::string::npos;
    };
    CHECK(names([](Message& m) { return (m.status & 0xf0) != 0x80; }, "note off; "));
    CHECK(names([](Message& m) { return (m.status & 0xf0) != 0x90 || m.data2 > 0; }, "note off by velocity 0; "));
    CHECK(names(
        [](Message& m) {
            m.data1 += (m.status & 0xf0) == 0x90;
            return true;
        },
        "note on; "));
    CHECK(names(
        [](Message& m) {
            m.data2 /= (m.status & 0xf0) == 0x90 ? 2 : 1;
            return true;
        },
        "note on; "));
    CHECK(names(
        [](Message& m) {
            m.status &= 0xf0;
            return true;
        },
        "channels apart; "));
    CHECK(names(
        [](Message& m) {
            if ((m.status & 0xf0) == 0xe0) std::swap(m.data1, m.data2);
            return true;
        },
        "bend; "));
    CHECK(names(
        [](Message& m) {
            if ((m.status & 0xf0) == 0xd0) std::swap(m.data1, m.data2);
            return true;
        },
        "channel pressure; "));
    CHECK(names([](Message& m) { return (m.status & 0xf0) != 0xa0; }, "polyphonic pressure; "));
    for (const auto& [number, row] : std::vector<std::pair<int, const char*>>{{1, "wheel; "},
                                                                              {2, "breath; "},
                                                                              {11, "expression; "},
                                                                              {16, "macro; "},
                                                                              {64, "sustain; "},
                                                                              {66, "sostenuto; "},
                                                                              {67, "soft; "},
                                                                              {74, "timbre; "},
                                                                              {100, "coarse tuning; "},
                                                                              {6, "bend range; "},
                                                                              {120, "all sound off; "},
                                                                              {121, "reset controllers; "},
                                                                              {123, "all notes off; "},
                                                                              {126, "mono; "},
                                                                              {127, "poly; "}}) {
        CAPTURE(number);
        CHECK(names([number = number](Message& m) { return (m.status & 0xf0) != 0xb0 || m.data1 != number; }, row));
    }
}
