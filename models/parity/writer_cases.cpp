// SPDX-License-Identifier: MIT
// Transcripts as files, byte for byte.
#include <models/parity/case_data.h>
#include <models/whisper/writers.h>

namespace tutti::models::parity {
namespace {

TranscriptDocument document_of(const Json& data) {
    TranscriptDocument document;
    document.language = data.at("language").get<std::string>();
    document.text = data.at("text").get<std::string>();
    for (const Json& one : data.at("segments")) {
        TranscriptSegment s;
        s.seek = one.at("seek").get<std::int64_t>();
        s.start = one.at("start").get<double>();
        s.end = one.at("end").get<double>();
        s.text = one.at("text").get<std::string>();
        s.tokens = one.at("tokens").get<std::vector<TokenId>>();
        s.temperature = one.at("temperature").get<double>();
        s.average_logprob = one.at("avg_logprob").get<double>();
        s.compression_ratio = one.at("compression_ratio").get<double>();
        s.no_speech = one.at("no_speech_prob").get<double>();
        s.has_words = one.contains("words");
        if (s.has_words)
            for (const Json& word : one["words"])
                s.words.push_back({word.at("word").get<std::string>(), word.at("start").get<double>(),
                                   word.at("end").get<double>(), word.at("probability").get<double>()});
        document.segments.push_back(std::move(s));
    }
    return document;
}

void check_writer(Case& c) {
    const Json& given = c.data.at("options");
    WriterOptions options;
    const auto number = [&](const char* key, std::optional<int>& value) {
        if (given.contains(key)) value = given[key].get<int>();
    };
    number("max_line_width", options.max_line_width);
    number("max_line_count", options.max_line_count);
    number("max_words_per_line", options.max_words_per_line);
    options.highlight_words = given.value("highlight_words", false);
    const auto document = document_of(c.file.at("writer_inputs").at(c.data.at("input").get<std::string>()));
    c.equal("text", write_transcript(document, c.data.at("format").get<std::string>(), options),
            c.data.at("text").get<std::string>());
}

} // namespace

void add_writer_checkers(std::map<std::string, Checker>& table) {
    table["writer"] = check_writer;
}

} // namespace tutti::models::parity
