// SPDX-License-Identifier: MIT
// A program that brings a voice type whose id is taken gets no engine, and is told why.
#include <string>

#include <doctest/doctest.h>

#include <tutti/engine.h>
#include <tutti/tables.h>

#include "engine/core/voice_types.h"
#include "voices/registry.h"

using namespace tutti;

namespace {
const bool k_added = [] { // before main, as tutti_add_voice does it
    const engine::Kernel* none[engine::k_isa_count] = {};
    engine::add_voice_type(voices::fm::k_type, none);
    return true;
}();
} // namespace

TEST_CASE("an id that is taken") {
    REQUIRE(k_added);
    CHECK(voice_tables().size() == voices::k_voice_type_count);
    const auto engine = Engine::create();
    CHECK(engine.status().code() == Code::invalid_argument);
    CHECK(engine.status().message().find("'fm'") != std::string::npos);
    CHECK(engine.status().message().find("there is one of that id") != std::string::npos);
}
