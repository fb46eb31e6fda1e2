// SPDX-License-Identifier: MIT
// Files by other people, where they are at hand; else the test is skipped.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <tutti/tuning.h>

namespace {

std::string file(const std::string& name) {
    const std::string path = std::string(TUTTI_SOURCE_DIR) + "/../shared/real/tuning/" + name;
    if (!std::filesystem::exists(path)) {
        std::printf("SKIP: %s is not there\n", path.c_str());
        std::exit(77);
    }
    return path;
}

} // namespace

TEST_CASE("Scala files as people write them") {
    using tutti::Tuning;
    const auto load = [](const std::string& scl, const std::string& kbm = {}) {
        tutti::Result<Tuning> tuning = Tuning::load(file(scl), kbm.empty() ? kbm : file(kbm));
        REQUIRE_MESSAGE(tuning.ok(), tuning.status().message());
        return *tuning;
    };
    const auto cents = [](const Tuning& tuning, int key) { return 100.0 * (tuning.semitones(key) - 60.0); };
    const Tuning shuffled = load("12-shuffled.scl"); // its degrees do not rise: that is allowed
    CHECK(cents(shuffled, 61) == doctest::Approx(200.0));
    CHECK(cents(shuffled, 62) == doctest::Approx(100.0));
    CHECK(cents(shuffled, 72) == doctest::Approx(1200.0));
    const Tuning edo = load("31edo.scl", "128.kbm");
    CHECK(edo.hertz(60) == doctest::Approx(261.6256));
    CHECK(edo.hertz(91) == doctest::Approx(2 * 261.6256));
    CHECK(edo.hertz(61) == doctest::Approx(261.6256 * std::exp2(1.0 / 31.0)).epsilon(1e-8));
    const Tuning tritave = load("ED3-17.scl");
    CHECK(cents(tritave, 77) == doctest::Approx(1200.0 * std::log2(3.0)));
    CHECK(cents(load("carlos-alpha.scl"), 70) == doctest::Approx(780.0));
    const Tuning constant = load("31edo.scl", "mapping-a440-constant.kbm");
    CHECK(constant.hertz(69) == doctest::Approx(440.0));
    // 12 keys a pattern, formal octave at degree 12 of 31: 464.51613 cents higher.
    CHECK(100.0 * (constant.semitones(72) - constant.semitones(60)) == doctest::Approx(464.51613));
    CHECK(cents(load("zeus22.scl"), 82) == doctest::Approx(1200.0));
}
