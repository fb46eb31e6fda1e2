// SPDX-License-Identifier: MIT
// The recorder: what is written, what is dropped, and that the spans leave no time out.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include <tutti/engine.h>
#include <tutti/trace.h>

#include "engine/stream/clock.h"
#include "engine/stream/hooks.h"
#include "engine/trace/ring.h"

using namespace tutti;
using nlohmann::json;

namespace {

const char* const k_file = "trace_test.json";

json read_and_remove(const char* path) {
    std::ifstream file(path);
    json read = json::parse(file);
    file.close();
    std::remove(path);
    return read;
}

std::vector<json> events_named(const json& trace, const std::string& name) {
    std::vector<json> found;
    for (const json& event : trace["traceEvents"])
        if (event["name"] == name) found.push_back(event);
    return found;
}

double duration(const std::vector<json>& spans) {
    double sum = 0.0;
    for (const json& span : spans)
        sum += span["dur"].get<double>();
    return sum;
}

double median(std::vector<double> values) {
    if (values.empty()) return 0.0;
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

// The share of the time of a span `name` that spans inside of it (one level down) account for: the middle one of all of them, since
// a busy machine takes the thread away between two spans now and then.
double share_explained(const json& trace, const std::string& name, const std::set<std::string>& inside) {
    std::map<double, std::pair<double, double>> spans; // begin -> duration, told
    for (const json& event : events_named(trace, name))
        spans[event["ts"].get<double>()] = {event["dur"].get<double>(), 0.0};
    for (const json& event : trace["traceEvents"]) {
        if (event["ph"] != "X" || inside.count(event["name"].get<std::string>()) == 0) continue;
        auto span = spans.upper_bound(event["ts"].get<double>() + 0.01); // the file's unit is a nanosecond
        if (span != spans.begin()) (--span)->second.second += event["dur"].get<double>();
    }
    std::vector<double> shares;
    for (const auto& [begin, span] : spans)
        shares.push_back(span.second / span.first);
    return median(shares);
}

// The time between a span and the next of its name, as a share of the span's: the middle one.
double gap_between(const std::vector<json>& spans) {
    std::vector<double> gaps, lengths;
    for (std::size_t i = 0; i < spans.size(); ++i) {
        lengths.push_back(spans[i]["dur"].get<double>());
        if (i > 0) gaps.push_back(spans[i]["ts"].get<double>() - spans[i - 1]["ts"].get<double>() - lengths[i - 1]);
    }
    return median(gaps) / median(lengths);
}

const std::set<std::string> k_stages = {"events", "control", "voices", "effects", "mix"};

void work(double microseconds) {
    const std::int64_t end = engine::monotonic_ns() + static_cast<std::int64_t>(1000.0 * microseconds);
    while (engine::monotonic_ns() < end) {
    }
}

std::shared_ptr<Stream> playing(Engine& engine, Mode mode, Sender& sender) {
    StreamConfig config;
    config.mode = mode;
    config.max_frames = 256;
    config.parts = 2;
    auto stream = engine.open(config).value();
    Patch patch;
    patch.effects = {{"chorus", {}, true}, {"reverb", {}, true}};
    for (int part = 0; part < 2; ++part)
        REQUIRE(stream->set_patch(part, patch, 0).ok());
    sender = stream->make_sender().value();
    for (int i = 0; i < 64; ++i)
        REQUIRE(sender.post(Event::note_on(0, i % 2, 30 + i, 0.7)));
    return stream;
}

void pull(Stream& stream, int blocks, int frames) {
    std::vector<float> left(static_cast<std::size_t>(frames)), right(left);
    float* out[] = {left.data(), right.data()};
    for (int i = 0; i < blocks; ++i)
        stream.pull(out, frames);
}

} // namespace

TEST_CASE("spans, stages, instants and counters of several threads come out as Trace Event JSON") {
    CHECK_FALSE(trace::on());
    { const trace::Span lost("before"); }
    CHECK(trace::stop(k_file).status().code() == Code::wrong_state);
    REQUIRE(trace::start().ok());
    CHECK(trace::start().code() == Code::wrong_state);
    trace::name_thread("test \"main\"");
    {
        const trace::Span outer("outer", 7);
        trace::Stages stages("first");
        work(50);
        stages.next("second", 3);
        work(50);
        stages.end();
        trace::instant("moment");
        trace::counter("level", 0.125, 2);
    }
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
        threads.emplace_back([] {
            for (int i = 0; i < 1000; ++i)
                const trace::Span span("loop");
        });
    for (std::thread& thread : threads)
        thread.join();
    const auto told = trace::stop(k_file);
    REQUIRE(told.ok());
    CHECK(told->events == 3005);
    CHECK(told->dropped == 0);
    CHECK(told->threads == 4);
    { const trace::Span lost("after"); }

    const json trace = read_and_remove(k_file);
    CHECK(events_named(trace, "before").empty());
    CHECK(events_named(trace, "after").empty());
    CHECK(events_named(trace, "loop").size() == 3000);
    const json outer = events_named(trace, "outer").at(0), first = events_named(trace, "first").at(0),
               second = events_named(trace, "second").at(0);
    CHECK(outer["ph"] == "X");
    CHECK(outer["args"]["number"] == 7);
    CHECK(second["args"]["number"] == 3);
    // Stages share their border, and both stand inside the outer span; a thousandth of a microsecond is the file's unit.
    const auto end = [](const json& span) { return span["ts"].get<double>() + span["dur"].get<double>(); };
    CHECK(end(first) == doctest::Approx(second["ts"].get<double>()).epsilon(1e-9));
    CHECK(outer["ts"].get<double>() <= first["ts"].get<double>());
    CHECK(end(second) <= end(outer) + 0.0011);
    CHECK(first["dur"].get<double>() > 40.0); // it worked for 50 by another clock: the scale is right
    const json moment = events_named(trace, "moment").at(0), level = events_named(trace, "level").at(0);
    CHECK(moment["ph"] == "i");
    CHECK(level["ph"] == "C");
    CHECK(level["args"]["value"] == 0.125);
    CHECK(level["id"] == 2);
    bool named = false;
    for (const json& event : events_named(trace, "thread_name"))
        named = named || event["args"]["name"] == "test \"main\"";
    CHECK(named);
}

TEST_CASE("what does not fit is dropped and counted, in the ring and in the whole") {
    REQUIRE(trace::start({.most_events = 100}).ok());
    for (int i = 0; i < 350; ++i)
        const trace::Span span("many");
    const auto told = trace::stop("");
    REQUIRE(told.ok());
    CHECK(told->events == 100);
    CHECK(told->dropped == 250);

    trace::TraceRing<> ring(8);
    for (int i = 0; i < 11; ++i)
        ring.write({static_cast<std::uint64_t>(i), 0, "x", 0, trace::TraceEvent::span});
    std::vector<std::uint64_t> seen;
    ring.read([&](const trace::TraceEvent& event) { seen.push_back(event.begin); });
    CHECK(seen == std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6, 7});
    CHECK(ring.dropped() == 3);
}

TEST_CASE("a file that cannot be written is an error with three parts, and recording can begin anew") {
    REQUIRE(trace::start().ok());
    { const trace::Span span("one"); }
    const auto told = trace::stop("/nowhere/at/all.json");
    CHECK(told.status().code() == Code::file_unwritable);
    CHECK(trace::start({.most_events = 0}).code() == Code::out_of_range);
    REQUIRE(trace::start().ok());
    CHECK(trace::stop("")->events == 0);
}

TEST_CASE("threads record while traces begin and end") {
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t)
        threads.emplace_back([&] {
            while (!stop.load()) {
                trace::Stages stages("a");
                stages.next("b");
                trace::counter("c", 1.0);
            }
        });
    for (int i = 0; i < 20; ++i) {
        REQUIRE(trace::start({.most_events = 20000}).ok());
        std::this_thread::yield();
        REQUIRE(trace::stop(i == 19 ? k_file : "").ok());
    }
    stop = true;
    for (std::thread& thread : threads)
        thread.join();
    const json trace = read_and_remove(k_file);
    double last = 0.0;
    for (const json& event : trace["traceEvents"])
        if (event["ph"] == "X") last = std::max(last, event["dur"].get<double>());
    CHECK(last < 60e6); // no span of an earlier trace: it would be as long as the counter is old
}

TEST_CASE("the stages of a pull add up to it within 2 %, offline and inline") {
    for (const Mode mode : {Mode::offline, Mode::inline_}) {
        auto engine = Engine::create({.threads = 1}).value();
        Sender sender;
        auto stream = playing(*engine, mode, sender);
        REQUIRE(trace::start().ok());
        {
            const trace::Span all("all");
            pull(*stream, 200, 256);
        }
        REQUIRE(trace::stop(k_file).ok());
        const json trace = read_and_remove(k_file);
        CHECK(events_named(trace, "pull").size() == 200);
        CHECK(events_named(trace, "voices").size() == 800); // render blocks of 64
        CHECK(events_named(trace, "effects").size() == 800);
        CHECK(events_named(trace, "part effects").empty()); // spans of their own where threads share them
        const double stages = share_explained(trace, "pull", k_stages);
        CHECK(stages > 0.98);
        CHECK(stages <= 1.001); // nothing twice; the file's unit
        CHECK(gap_between(events_named(trace, "pull")) < 0.02);
        CHECK(duration(events_named(trace, "pull")) <= 1.0001 * duration(events_named(trace, "all")));
    }
}

TEST_CASE("red control: time that no stage owns is noticed") {
    REQUIRE(trace::start().ok());
    for (int i = 0; i < 20; ++i) {
        const trace::Span span("pull");
        {
            trace::Stages stages("voices");
            work(50);
        }
        work(50);
    }
    REQUIRE(trace::stop(k_file).ok());
    const double share = share_explained(read_and_remove(k_file), "pull", k_stages);
    CHECK(share > 0.0);
    CHECK(share < 0.98);
}

TEST_CASE("ahead: render blocks by stage, the ring and the voices as counters, late blocks as instants") {
    engine::Hooks hooks = engine::default_hooks();
    hooks.manual = true;
    auto engine = engine::create_engine({.threads = 1}, hooks).value();
    Sender sender;
    auto stream = playing(*engine, Mode::ahead, sender);
    REQUIRE(trace::start().ok());
    for (int i = 0; i < 100; ++i) {
        pull(*stream, 1, 64);
        if (i < 60) engine::render_once(*engine);
    }
    REQUIRE(trace::stop(k_file).ok());
    const json trace = read_and_remove(k_file);
    CHECK(events_named(trace, "render block").size() == 60);
    CHECK(share_explained(trace, "render block", k_stages) > 0.98);
    // L is 256 + 4 x 64 frames: of the 40 blocks that were not rendered, the last 32 were wanted.
    CHECK(events_named(trace, "late block").size() == 32);
    CHECK(stream->stats().late_blocks == 32);
    CHECK(events_named(trace, "late block").at(0)["ph"] == "i");
    CHECK(events_named(trace, "ring blocks").size() == 100);
    CHECK(events_named(trace, "ring blocks").at(50)["args"]["value"] == 7);
    const auto voices = events_named(trace, "sounding voices");
    REQUIRE(voices.size() == 60);
    CHECK(voices.back()["ph"] == "C");
    CHECK(voices.back()["args"]["value"] == stream->stats().voices);
}
