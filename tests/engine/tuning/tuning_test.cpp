// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include <tutti/tuning.h>

using tutti::Code;
using tutti::Result;
using tutti::Tuning;

namespace {

// The example of Scala's description of its format.
const std::string k_meantone =
    "! meanquar.scl\n!\n1/4-comma meantone scale. Pietro Aaron's temperament (1523)\n 12\n!\n 76.04900\n"
    " 193.15686\n 310.26471\n 5/4\n 503.42157\n 579.47057\n 696.57843\n 25/16\n 889.73529\n 1006.84314\n"
    " 1082.89214\n 2/1\n";

std::string mapping(const std::string& size, const std::string& middle, const std::string& reference,
                    const std::string& hertz, const std::string& octave, const std::string& rest = "") {
    return "! a mapping\n" + size + "\n0\n127\n" + middle + "\n" + reference + "\n" + hertz + "\n" + octave + "\n" +
           rest;
}

void close(double semitones, double expected) {
    // A hundred-thousandth of a cent: what is left of doubles after a logarithm and sums up to 100 semitones.
    CHECK(semitones == doctest::Approx(expected).epsilon(1e-12).scale(1e3));
}

void refused(const Result<Tuning>& tuning, Code code, const std::vector<std::string>& words) {
    REQUIRE_FALSE(tuning.ok());
    CAPTURE(tuning.status().message());
    CHECK(tuning.status().code() == code);
    CHECK_FALSE(tuning.status().means().empty());
    CHECK_FALSE(tuning.status().remedy().empty());
    for (const std::string& word : words)
        CHECK_MESSAGE(tuning.status().message().find(word) != std::string::npos, word);
}

} // namespace

TEST_CASE("without more, a key is its own pitch") {
    const Tuning tuning;
    for (int key = 0; key < 128; ++key) {
        CHECK(tuning.semitones(key) == key);
        CHECK(tuning.mapped(key));
    }
    CHECK(tuning.hertz(69) == 440.0);
    CHECK(tuning.hertz(60) == doctest::Approx(261.6255653).epsilon(1e-9));
}

TEST_CASE("equal temperaments of any step and period") {
    const Tuning quarter = *Tuning::equal(24);
    close(quarter.semitones(70), 69.5);
    close(quarter.semitones(0), 34.5);
    const Tuning bohlen_pierce = *Tuning::equal(13, 3.0, 60, 300.0);
    CHECK(bohlen_pierce.hertz(60) == doctest::Approx(300.0));
    CHECK(bohlen_pierce.hertz(73) == doctest::Approx(900.0));
    CHECK(Tuning::equal(1).value().semitones(127) == Tuning::k_highest); // octaves a key leave the range
    CHECK(Tuning::equal(1).value().semitones(0) == Tuning::k_lowest);
    for (const Result<Tuning>& wrong : {Tuning::equal(0), Tuning::equal(std::nan("")), Tuning::equal(12, 1.0),
                                        Tuning::equal(12, 2.0, 128), Tuning::equal(12, 2.0, 69, -1.0)})
        CHECK(wrong.status().code() == Code::out_of_range);
}

TEST_CASE("a scale of ratios and cents, from key 60 on") {
    const Result<Tuning> read = Tuning::from_scala(k_meantone);
    REQUIRE_MESSAGE(read.ok(), read.status().message());
    CHECK(read->name() == "1/4-comma meantone scale. Pietro Aaron's temperament (1523)");
    close(read->semitones(60), 60.0);
    close(read->semitones(61), 60.76049);
    close(read->semitones(64), 60.0 + 12.0 * std::log2(1.25));
    close(read->semitones(68), 60.0 + 12.0 * std::log2(25.0 / 16.0));
    close(read->semitones(72), 72.0);
    close(read->semitones(59), 48.0 + 10.8289214);
    close(read->semitones(0), 0.0);
    // The comma of Didymus: four of its fifths are two octaves and a pure third.
    // The file gives a hundred-thousandth of a cent; the error of four fifths is four times half of that.
    CHECK(std::fabs(4 * (read->semitones(67) - 60) - 24 - 12.0 * std::log2(1.25)) < 2.1e-7);
}

TEST_CASE("every way in which a pitch may be written") {
    const auto first = [](const std::string& pitch) {
        Result<Tuning> tuning = Tuning::from_scala("x\n2\n" + pitch + "\n1200.0\n");
        REQUIRE_MESSAGE(tuning.ok(), tuning.status().message());
        return 100.0 * (tuning->semitones(61) - 60.0);
    };
    const double fifth = 1200.0 * std::log2(1.5);
    for (const char* pitch : {"3/2", "  3/2", "\t3/2 a fifth", "3/2\r", "3/2! text", "3 / 2", "3/ 2 x"})
        if (std::string(pitch) != "3/2! text") CHECK_MESSAGE(first(pitch) == doctest::Approx(fifth), pitch);
    CHECK(first("2") == doctest::Approx(1200.0));
    CHECK(first("5") == doctest::Approx(1200.0 * std::log2(5.0)));
    CHECK(first("81/64 ditone") == doctest::Approx(407.8200035));
    CHECK(first("2147483647/2147483646") == doctest::Approx(8.06e-7).epsilon(1e-2));
    CHECK(first("408.") == doctest::Approx(408.0));
    CHECK(first("100.0 cents") == doctest::Approx(100.0));
    CHECK(first("100.0 C#") == doctest::Approx(100.0));
    CHECK(first(".5") == doctest::Approx(0.5));
    CHECK(first("-5.0") == doctest::Approx(-5.0)); // below degree 0: allowed in cents
    CHECK(first("5/4   E\\") == doctest::Approx(386.3137139));
    CHECK(first("701.95500086538741774000000000000000000") == doctest::Approx(fifth).epsilon(1e-14));
}

TEST_CASE("scales with no note, one note, any line ends and encodings") {
    const Result<Tuning> none = Tuning::from_scala("nothing but 1/1\n0\n");
    REQUIRE(none.ok());
    CHECK(none->semitones(0) == 60.0);
    CHECK(none->semitones(127) == 60.0);
    const Result<Tuning> alpha = Tuning::from_scala("Carlos Alpha\r\n1\r\n78.0\r\n");
    REQUIRE(alpha.ok());
    close(alpha->semitones(70), 67.8);
    close(alpha->semitones(50), 52.2);
    CHECK(Tuning::from_scala("old\r1\r100.0\r").ok());
    CHECK(Tuning::from_scala("\n1\n100.0").value().name().empty());
    CHECK(Tuning::from_scala("\xef\xbb\xbf! c\nx\n1\n100.0").ok());
    CHECK(Tuning::from_scala("G\xfcnther\n1\n2/1\n").value().name() == "G\xc3\xbcnther"); // ISO 8859-1
    CHECK(Tuning::from_scala("G\xc3\xbcnther\n1\n2/1\n").value().name() == "G\xc3\xbcnther");
    CHECK(Tuning::from_scala("x\n1\n2/1\nwhat follows is a remark\n3/2\n").ok());
}

TEST_CASE("a keyboard mapping: middle key, reference, formal octave, silent keys, keys that stay") {
    // White keys alone, seven equal steps; the black ones stay silent.
    const std::string seven =
        "7 equal\n7\n171.42857143\n342.85714286\n514.28571429\n685.71428571\n857.14285714\n1028.57142857\n2/1\n";
    const std::string white = "0\nx\n1\nx\n2\n3\nx\n4\nx\n5\nx\n6\n";
    const Result<Tuning> read = Tuning::from_scala(seven, mapping("12", "60", "69", "440.0", "7", white));
    REQUIRE_MESSAGE(read.ok(), read.status().message());
    close(read->semitones(69), 69.0);
    close(read->semitones(71), 69.0 + 12.0 / 7.0);
    close(read->semitones(81), 81.0);
    close(read->semitones(57), 57.0);
    CHECK_FALSE(read->mapped(61));
    CHECK_FALSE(read->mapped(70 + 48));
    CHECK(read->mapped(60));

    // Entries at the end may be left out: they are silent.
    const Result<Tuning> shorter =
        Tuning::from_scala(seven, mapping("12", "60", "60", "261.6255653", "7", "0\nx\n1\n"));
    REQUIRE(shorter.ok());
    CHECK(shorter->mapped(74));
    CHECK_FALSE(shorter->mapped(71));

    // Outside first..last the keys stay in twelve equal steps.
    const Result<Tuning> part = Tuning::from_scala(seven, "0\n48\n72\n60\n60\n300\n7\n");
    REQUIRE(part.ok());
    CHECK(part->hertz(60) == doctest::Approx(300.0));
    CHECK(part->semitones(47) == 47.0);
    CHECK(part->semitones(73) == 73.0);

    // The formal octave need not be the scale's period: the pattern repeats after degree 3 here.
    const Result<Tuning> formal = Tuning::from_scala("x\n4\n100.0\n200.0\n300.0\n1000.0\n",
                                                     mapping("2", "60", "60", "261.6255653005986", "3", "0\n1"));
    REQUIRE(formal.ok());
    close(formal->semitones(61), 61.0);
    close(formal->semitones(62), 63.0);
    close(formal->semitones(63), 64.0);
    close(formal->semitones(59), 58.0);

    // Degrees beyond the scale, below it, and twice.
    const Result<Tuning> far =
        Tuning::from_scala(k_meantone, mapping("3", "60", "60", "261.6255653005986", "12", "-12\n0\n24\n"));
    REQUIRE(far.ok());
    close(far->semitones(61) - far->semitones(60), 12.0);
    close(far->semitones(62) - far->semitones(60), 36.0);

    // The empty pattern: key by key, whatever the formal octave says.
    const Result<Tuning> linear = Tuning::from_scala(k_meantone, mapping("0", "60", "69", "440.0", "127"));
    REQUIRE(linear.ok());
    close(linear->semitones(69), 69.0);
    close(linear->semitones(60), 69.0 - 8.8973529);

    // A mapping alone moves twelve equal steps.
    close(Tuning::from_scala("", mapping("0", "60", "69", "432.0", "12")).value().semitones(69),
          69.0 + 12.0 * std::log2(432.0 / 440.0));
}

TEST_CASE("what is wrong with a Scala file is said with its line") {
    refused(Tuning::from_scala("! only\n! comments\n"), Code::truncated, {"scale", "description"});
    refused(Tuning::from_scala("x\n"), Code::truncated, {"number of notes"});
    refused(Tuning::from_scala("x\nfive\n"), Code::malformed, {"line 2", "\"five\""});
    refused(Tuning::from_scala("x\n-1\n"), Code::malformed, {"line 2"});
    refused(Tuning::from_scala("! a\nx\n2\n! b\n100.0\n"), Code::truncated,
            {"line 5", "2 notes were announced, 1 are there"});
    refused(Tuning::from_scala("x\n2\n3/2\n-3/2\n"), Code::malformed, {"line 4", "not above 0"});
    refused(Tuning::from_scala("x\n1\n3/0\n"), Code::malformed, {"line 3", "3/0"});
    refused(Tuning::from_scala("x\n1\n0\n"), Code::malformed, {"line 3"});
    refused(Tuning::from_scala("x\n1\nabc\n"), Code::malformed, {"line 3", "\"abc\""});
    refused(Tuning::from_scala("x\n1\n1.2.3\n"), Code::malformed, {"line 3"});
    refused(Tuning::from_scala("x\n1\n3/2/1\n"), Code::malformed, {"line 3"});
    refused(Tuning::from_scala("x\n1\n1e3.0\n"), Code::malformed, {"line 3"});
    refused(Tuning::from_scala("x\n1\n99999999999.0\n"), Code::malformed, {"line 3"});
    refused(Tuning::from_scala("x\n99999999\n"), Code::malformed, {"line 2"});
    refused(Tuning::from_scala(std::string((1u << 20) + 1, '!')), Code::too_large, {"1 MiB"});
    refused(Tuning::from_scala("", "12\n0\n127\n"), Code::truncated, {"keyboard mapping", "middle key is missing"});
    refused(Tuning::from_scala("", "x\n"), Code::malformed, {"line 1", "size of the map"});
    refused(Tuning::from_scala("", "0\n0\n128\n60\n69\n440\n12\n"), Code::malformed,
            {"line 3", "last key", "0 to 127"});
    refused(Tuning::from_scala("", "0\n10\n5\n60\n69\n440\n12\n"), Code::malformed, {"below the first"});
    refused(Tuning::from_scala("", "0\n0\n127\n60\n69\n0.0\n12\n"), Code::malformed, {"line 6", "frequency"});
    refused(Tuning::from_scala("", mapping("2", "60", "61", "440.0", "12", "0\nx\n")), Code::malformed,
            {"reference key 61 is not mapped"});
    refused(Tuning::from_scala("", mapping("1", "60", "60", "440.0", "12", "y\n")), Code::malformed,
            {"line 9", "\"y\""});
    refused(Tuning::load("no-such-file.scl"), Code::file_not_found, {"no-such-file.scl"});
    refused(Tuning::load(std::filesystem::temp_directory_path().string()), Code::file_unreadable, {});
}

TEST_CASE("single keys are set within the range and refused outside") {
    Tuning tuning;
    CHECK(tuning.set_hertz(60, 256.0).ok());
    CHECK(tuning.hertz(60) == doctest::Approx(256.0));
    CHECK(tuning.set(61, 1e9).ok());
    CHECK(tuning.semitones(61) == Tuning::k_highest);
    tuning.unmap(62);
    CHECK_FALSE(tuning.mapped(62));
    CHECK(tuning.set(62, 62.5).ok());
    CHECK(tuning.mapped(62));
    CHECK(tuning.set(128, 1.0).code() == Code::out_of_range);
    CHECK(tuning.set(1, std::nan("")).code() == Code::out_of_range);
    CHECK(tuning.set_hertz(1, 0.0).code() == Code::out_of_range);
}
