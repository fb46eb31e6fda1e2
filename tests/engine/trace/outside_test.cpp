// SPDX-License-Identifier: MIT
// Spans as an outside profiler sees them: nested, every one ended, without start().
#include <doctest/doctest.h>

#include <cstring>

#include <tutti/trace.h>

#if defined(TUTTI_TRACE_NVTX)
#include <nvtx3/nvToolsExt.h>
#else
#include <tracy/TracyC.h>
#endif

using namespace tutti::trace;

TEST_CASE("an outside profiler gets every span, nested, whether or not the recorder runs") {
    g_outside = {};
    CHECK(on());
    {
        const Span outer("outer");
        Stages stages("first");
        CHECK(g_outside.depth == 2);
        stages.next("second");
        CHECK(g_outside.depth == 2);
        CHECK(std::strcmp(g_outside.last, "second") == 0);
        const Span inner("inner");
        CHECK(g_outside.depth == 3);
        instant("moment");
        CHECK(g_outside.marks == 1);
        counter("count", 3.0);
    }
    CHECK(g_outside.pushed == 4);
    CHECK(g_outside.popped == 4);
    CHECK(g_outside.depth == 0);
    CHECK(g_outside.deepest == 3);
#if defined(TUTTI_TRACE_TRACY)
    CHECK(g_outside.plots == 1);
#endif
    REQUIRE(start().ok());
    { const Span span("both"); }
    auto told = stop("");
    REQUIRE(told.ok());
    CHECK(told->events == 1);
    CHECK(g_outside.popped == 5);
}
