// SPDX-License-Identifier: MIT
#include <models/parity/case_data.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace tutti::models::parity {
namespace {

constexpr std::size_t k_note = 400; // characters of a note

template <class T>
T unwrap(Result<T> result) {
    if (!result) throw std::runtime_error(result.status().message());
    return std::move(result).value();
}

template <class T>
std::vector<T> raw(const Checkpoint& file, const TensorInfo& tensor) {
    std::vector<T> values(static_cast<std::size_t>(tensor.elements));
    if (const Status status = file.read_bytes(tensor, std::as_writable_bytes(std::span(values))); !status)
        throw std::runtime_error(status.message());
    return values;
}

} // namespace

const std::vector<float>& Library::audio(const std::string& key) {
    if (const auto found = m_audio.find(key); found != m_audio.end()) return found->second;
    std::vector<float> samples;
    if (key == "song") {
        const std::vector<float>& piece = audio("piece");
        samples = piece;
        samples.insert(samples.end(), piece.rbegin(), piece.rend());
        for (float x : piece) {
            samples.push_back(x);
            samples.push_back(x);
        }
    } else {
        const Checkpoint file = unwrap(Checkpoint::open_file(m_folder / "audio" / "audio.safetensors"));
        const TensorInfo* tensor = file.find(key);
        if (!tensor || tensor->dtype != Dtype::i16) throw std::runtime_error("no audio called " + key);
        for (std::int16_t x : raw<std::int16_t>(file, *tensor))
            samples.push_back(static_cast<float>(x) / 32768.0f);
    }
    return m_audio[key] = std::move(samples);
}

std::vector<float> Library::audio(const std::string& key, std::int64_t begin, std::optional<std::int64_t> end) {
    const std::vector<float>& all = audio(key);
    const auto size = static_cast<std::int64_t>(all.size());
    const std::int64_t last = std::clamp<std::int64_t>(end.value_or(size), 0, size);
    const std::int64_t first = std::clamp<std::int64_t>(begin, 0, last);
    return {all.begin() + first, all.begin() + last};
}

Case::Case(Library& shared, const Json& file_data, const Json& case_data, const Checkpoint* tensors,
           ParityCase& outcome, const ParityOptions& run_options)
    : library(shared), file(file_data), data(case_data), options(run_options), m_tensors(tensors), m_outcome(outcome) {
    const Json& list = default_exceptions();
    const std::string key = outcome.file + "/" + outcome.name;
    if (options.strict || !list.contains(key)) return;
    m_instead = &list.at(key).at("instead");
    outcome.quirk = list.at(key).at("quirk").get<std::string>();
}

bool Case::replaced_by(const Json& got) {
    m_outcome.record = got.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (!m_instead) return false;
    equal("instead", got, *m_instead);
    return true;
}

const TensorInfo& Case::tensor(const std::string& point) const {
    const TensorInfo* found = m_tensors ? m_tensors->find(name() + "/" + point) : nullptr;
    if (!found) throw std::runtime_error("the data has no tensor " + name() + "/" + point);
    return *found;
}

bool Case::has(const std::string& point) const {
    return m_tensors && m_tensors->find(name() + "/" + point);
}

std::vector<float> Case::floats(const std::string& point) const {
    const TensorInfo& t = tensor(point);
    if (t.dtype != Dtype::f32) throw std::runtime_error(point + " is not F32");
    return raw<float>(*m_tensors, t);
}

std::vector<float> Case::shared_floats(const std::string& tensor_name) const {
    const TensorInfo* found = m_tensors ? m_tensors->find(tensor_name) : nullptr;
    if (!found || found->dtype != Dtype::f32) throw std::runtime_error("the data has no F32 tensor " + tensor_name);
    return raw<float>(*m_tensors, *found);
}

std::vector<double> Case::doubles(const std::string& point) const {
    const TensorInfo& t = tensor(point);
    if (t.dtype != Dtype::f64) throw std::runtime_error(point + " is not F64");
    return raw<double>(*m_tensors, t);
}

std::vector<std::int64_t> Case::integers(const std::string& point) const {
    const TensorInfo& t = tensor(point);
    if (t.dtype == Dtype::i64) return raw<std::int64_t>(*m_tensors, t);
    if (t.dtype != Dtype::i32) throw std::runtime_error(point + " is not I64 or I32");
    const auto narrow = raw<std::int32_t>(*m_tensors, t);
    return {narrow.begin(), narrow.end()};
}

std::vector<std::uint64_t> Case::shape(const std::string& point) const {
    return tensor(point).shape;
}

void Case::add(ParityPoint point) {
    m_outcome.points.push_back(std::move(point));
}

template <class T>
static ParityPoint compare(const std::string& name, std::span<const T> got, std::span<const T> wanted,
                           double tolerance) {
    ParityPoint point{name, 0.0, tolerance, false, {}};
    if (got.size() != wanted.size()) {
        point.error = INFINITY;
        point.note = std::to_string(got.size()) + " values, not " + std::to_string(wanted.size());
        return point;
    }
    for (std::size_t i = 0; i < got.size(); ++i) {
        if (got[i] == wanted[i]) continue; // also both -inf
        const double error = std::abs(static_cast<double>(got[i]) - static_cast<double>(wanted[i]));
        if (!(error <= point.error)) { // a NaN is an error, too
            point.error = std::isnan(error) ? INFINITY : error;
            point.note =
                "at " + std::to_string(i) + ": " + std::to_string(got[i]) + ", not " + std::to_string(wanted[i]);
        }
    }
    point.holds = point.error <= tolerance;
    return point;
}

void Case::near(const std::string& point, std::span<const float> got, std::span<const float> wanted, double tolerance) {
    add(compare(point, got, wanted, tolerance));
}
void Case::near(const std::string& point, std::span<const double> got, std::span<const double> wanted,
                double tolerance) {
    add(compare(point, got, wanted, tolerance));
}
void Case::near(const std::string& point, double got, double wanted, double tolerance) {
    add(compare(point, std::span<const double>(&got, 1), std::span<const double>(&wanted, 1), tolerance));
}

void Case::cosine(const std::string& point, std::span<const float> got, std::span<const float> wanted,
                  double tolerance) {
    double product = 0.0, a = 0.0, b = 0.0;
    for (std::size_t i = 0; i < std::min(got.size(), wanted.size()); ++i) {
        product += static_cast<double>(got[i]) * wanted[i];
        a += static_cast<double>(got[i]) * got[i];
        b += static_cast<double>(wanted[i]) * wanted[i];
    }
    const double error = got.size() == wanted.size() && a > 0 && b > 0 ? 1.0 - product / std::sqrt(a * b) : INFINITY;
    add({point, error, tolerance, error <= tolerance, "1 - cosine"});
}

void Case::equal(const std::string& point, const std::string& got, const std::string& wanted) {
    exact(point, got == wanted ? 0 : 1, got == wanted ? "" : "'" + got + "', not '" + wanted + "'");
}

void Case::equal(const std::string& point, const Json& got, const Json& wanted) {
    const auto text = [](const Json& j) { return j.dump(-1, ' ', false, Json::error_handler_t::replace); };
    exact(point, got == wanted ? 0 : 1, got == wanted ? "" : text(got) + ", not " + text(wanted));
}

void Case::exact(const std::string& point, std::size_t differences, const std::string& note) {
    add({point, static_cast<double>(differences), 0.0, differences == 0,
         note.size() > k_note ? note.substr(0, k_note) + "..." : note});
}

void Case::require(const std::string& point, bool holds, const std::string& note) {
    exact(point, holds ? 0 : 1, holds ? "" : note);
}

} // namespace tutti::models::parity
