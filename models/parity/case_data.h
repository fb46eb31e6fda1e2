// SPDX-License-Identifier: MIT
// One case of reference data and the verdict on it. Only for the sources of models/parity.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <models/checkpoint/checkpoint.h>
#include <models/parity/parity.h>

namespace tutti::models::parity {

using Json = nlohmann::json;

// What all cases share: the folder, and the audio clips.
class Library {
public:
    explicit Library(std::filesystem::path folder) : m_folder(std::move(folder)) {}
    const std::filesystem::path& folder() const noexcept { return m_folder; }
    // Samples of a clip; "song" is built of "piece" as the data's README says. Throws std::runtime_error when absent.
    const std::vector<float>& audio(const std::string& key);
    std::vector<float> audio(const std::string& key, std::int64_t begin, std::optional<std::int64_t> end);

private:
    std::filesystem::path m_folder;
    std::map<std::string, std::vector<float>> m_audio;
};

// Errors in the data are exceptions here (the runner catches them at each case): a checker reads straight on.
class Case {
public:
    Case(Library& shared, const Json& file_data, const Json& case_data, const Checkpoint* tensors, ParityCase& outcome,
         const ParityOptions& run_options);

    Library& library;
    const Json& file; // the whole file: constants common to its cases
    const Json& data; // this case
    const ParityOptions& options;
    const std::string& name() const noexcept { return m_outcome.name; }
    // Where the default differs from the reference on purpose: what the result must be instead; null elsewhere.
    const Json* instead() const noexcept { return m_instead; }
    // Compares `got` with what it must be instead; false when the case is not such a one, and the data counts.
    bool replaced_by(const Json& got);

    bool has(const std::string& point) const;
    std::vector<float> floats(const std::string& point) const;
    std::vector<float> shared_floats(const std::string& tensor_name) const; // of the file, not of this case alone
    std::vector<double> doubles(const std::string& point) const;
    std::vector<std::int64_t> integers(const std::string& point) const;
    std::vector<std::uint64_t> shape(const std::string& point) const;

    // Largest |got - wanted| must be within `tolerance`; -inf equals -inf; a different length never holds.
    void near(const std::string& point, std::span<const float> got, std::span<const float> wanted, double tolerance);
    void near(const std::string& point, std::span<const double> got, std::span<const double> wanted, double tolerance);
    void near(const std::string& point, double got, double wanted, double tolerance);
    // 1 - cosine must be within `tolerance`.
    void cosine(const std::string& point, std::span<const float> got, std::span<const float> wanted, double tolerance);
    template <class T>
    void equal(const std::string& point, const std::vector<T>& got, const std::vector<T>& wanted) {
        std::size_t differences = got.size() > wanted.size() ? got.size() - wanted.size() : wanted.size() - got.size();
        std::size_t first = std::min(got.size(), wanted.size());
        for (std::size_t i = std::min(got.size(), wanted.size()); i-- > 0;)
            if (!(got[i] == wanted[i])) {
                ++differences;
                first = i;
            }
        exact(point, differences, differences ? "first at " + std::to_string(first) : "");
    }
    void equal(const std::string& point, const std::string& got, const std::string& wanted);
    void equal(const std::string& point, const Json& got, const Json& wanted);
    void exact(const std::string& point, std::size_t differences, const std::string& note);
    void require(const std::string& point, bool holds, const std::string& note = "");

private:
    void add(ParityPoint point);
    const TensorInfo& tensor(const std::string& point) const;
    const Checkpoint* m_tensors;
    ParityCase& m_outcome;
    const Json* m_instead = nullptr;
};

// The committed list: "file/case" -> {"quirk": ..., "instead": ...}.
const Json& default_exceptions();

using Checker = void (*)(Case&);
void add_mel_checkers(std::map<std::string, Checker>& table);
void add_text_checkers(std::map<std::string, Checker>& table); // crafted lists, tokenizer, writers
void add_writer_checkers(std::map<std::string, Checker>& table);
void add_openai_checkers(std::map<std::string, Checker>& table); // needs the network, too
void add_codec_checkers(std::map<std::string, Checker>& table);
void add_whisper_checkers(std::map<std::string, Checker>& table); // what needs the network
void add_heartmula_checkers(std::map<std::string, Checker>& table);

} // namespace tutti::models::parity
