// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include <models/heartmula/prompt.h>
#include <models/heartmula/sampler.h>
#include <models/nn/philox.h>
#include <models/tokenizer/utf8.h>

using namespace tutti::models;

TEST_CASE("the race draws in proportion to the softmax of the k best") {
    const std::vector<float> logits = {0.0f, 1.0f, 2.0f, -1.0f, 1.5f, 0.5f};
    SampleOptions options;
    options.top_k = 4;
    options.temperature = 0.8f;
    const Noise noise(11);
    constexpr int k_draws = 40000;
    std::vector<int> counts(logits.size());
    for (std::uint32_t f = 0; f < k_draws; ++f)
        ++counts[static_cast<std::size_t>(sample(logits, options, [&](std::int32_t id) {
                                              return noise.exponential(NoisePurpose::race, f, 0,
                                                                       static_cast<std::uint32_t>(id));
                                          }).id)];
    CHECK(counts[0] == 0);
    CHECK(counts[3] == 0);
    double sum = 0.0;
    for (const int i : {1, 2, 4, 5})
        sum += std::exp(static_cast<double>(logits[static_cast<std::size_t>(i)]) / 0.8);
    for (const int i : {1, 2, 4, 5}) { // within five standard errors
        const double p = std::exp(static_cast<double>(logits[static_cast<std::size_t>(i)]) / 0.8) / sum;
        CHECK(std::abs(counts[static_cast<std::size_t>(i)] - k_draws * p) < 5.0 * std::sqrt(k_draws * p * (1.0 - p)));
    }
}

TEST_CASE("ties at the threshold survive, masked ids never do, temperature 0 takes the first of the largest") {
    const std::vector<float> logits = {3.0f, 1.0f, 1.0f, 1.0f, 5.0f};
    const auto takes = [&](const SampleOptions& options, std::int32_t wanted) {
        return sample(logits, options, [&](std::int32_t id) { return id == wanted ? 1e-9f : 1.0f; }).id;
    };
    SampleOptions options;
    options.top_k = 3; // 5, 3 and every 1
    for (const std::int32_t id : {0, 1, 2, 3, 4})
        CHECK(takes(options, id) == id);
    options.top_k = 2;
    CHECK(takes(options, 1) == 4);
    options.masked_from = 4;
    options.masked_to = 5;
    CHECK(takes(options, 4) == 0);
    options.temperature = 0.0f;
    CHECK(takes(options, 4) == 0);
    CHECK(sample(std::vector<float>{2.0f, 7.0f, 7.0f}, options, {}).id == 1);
    options = SampleOptions();
    options.top_k = 5;
    const Sample won = sample(logits, options, [](std::int32_t) { return 1.0f; });
    CHECK(won.id == 4);
    CHECK(won.lead == doctest::Approx(1.0 - std::exp(-2.0)));
}

TEST_CASE("lower case as Python has it") {
    CHECK(to_lower("ÀÉ ẞ İ Ǆ ΣΑΣ Σ ΑΣ! Σα Ⅷ Ⓐ 𐐀") == "àé ß i\xcc\x87 ǆ σας σ ας! σα ⅷ ⓐ 𐐨");
    CHECK(to_lower("ΑΣ\xcc\x81 ΑΣ'β") == "ας\xcc\x81 ασ'β"); // marks and apostrophes are passed over
}

TEST_CASE("tags that the model was not trained on") {
    CHECK(doubtful_tags("piano,happy").empty());
    CHECK(doubtful_tags("<tag>piano,happy</tag>\n").empty());
    CHECK(doubtful_tags("piano, happy") == std::vector<std::string>{"' happy'"});
    CHECK(doubtful_tags("hip hop,,x") == std::vector<std::string>{"'hip hop'", "an empty one"});
    CHECK(universal_newlines("a\r\nb\rc\n") == "a\nb\nc\n");
}
