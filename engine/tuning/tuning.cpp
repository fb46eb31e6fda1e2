// SPDX-License-Identifier: MIT
#include <tutti/tuning.h>

#include <algorithm>
#include <cmath>

namespace tutti {

Tuning::Tuning() : m_name("12 equal") {
    for (int key = 0; key < k_keys; ++key)
        m_semitones[static_cast<std::size_t>(key)] = key;
    m_mapped.set();
}

Result<Tuning> Tuning::equal(double divisions, double period, int reference_key, double reference_hz) {
    const auto wrong = [](const std::string& what, const std::string& remedy) {
        return Status(Code::out_of_range, what, "no tuning was made", remedy);
    };
    if (!(divisions > 0.0 && divisions <= 10'000.0))
        return wrong("an equal temperament with that many divisions does not exist",
                     "give more than 0, at most 10,000");
    if (!(period > 1.0 && period <= 1000.0))
        return wrong("the period's ratio is not above 1 and up to 1,000", "give 2 for the octave");
    if (reference_key < 0 || reference_key >= k_keys)
        return wrong("the reference key is no key of 0..127", "give 69 for A4");
    if (!(reference_hz > 0.0 && reference_hz <= 100'000.0))
        return wrong("the reference is not above 0 and up to 100,000 Hz", "give 440");
    Tuning tuning;
    const double step = 12.0 * std::log2(period) / divisions;
    const double reference = 69.0 + 12.0 * std::log2(reference_hz / 440.0);
    for (int key = 0; key < k_keys; ++key)
        tuning.m_semitones[static_cast<std::size_t>(key)] =
            std::clamp(reference + step * (key - reference_key), k_lowest, k_highest);
    tuning.m_name = "equal";
    return tuning;
}

double Tuning::hertz(int key) const noexcept {
    return 440.0 * std::exp2((semitones(key) - 69.0) / 12.0);
}

Status Tuning::set(int key, double semitones) {
    if (key < 0 || key >= k_keys)
        return Status(Code::out_of_range, "there is no key " + std::to_string(key), "the tuning stays as it was",
                      "give 0 to 127");
    if (!std::isfinite(semitones))
        return Status(Code::out_of_range, "a pitch that is no number", "the tuning stays as it was",
                      "give semitones, 69 is 440 Hz");
    m_semitones[static_cast<std::size_t>(key)] = std::clamp(semitones, k_lowest, k_highest);
    m_mapped[static_cast<std::size_t>(key)] = true;
    return {};
}

Status Tuning::set_hertz(int key, double hertz) {
    if (!(hertz > 0.0 && std::isfinite(hertz)))
        return Status(Code::out_of_range, "a pitch that is not above 0 Hz", "the tuning stays as it was",
                      "give a pitch in Hz");
    return set(key, 69.0 + 12.0 * std::log2(hertz / 440.0));
}

} // namespace tutti
