// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <optional>

#include <tutti/phrase.h>

namespace tutti {
namespace {

constexpr std::size_t k_bytes = 64u << 10;
constexpr std::size_t k_steps = 4096;
constexpr double k_longest = 1024.0; // beats of one chord

bool blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// "2", "1.5", "1/2".
std::optional<double> read_beats(std::string_view text) {
    const auto number = [](std::string_view digits) -> std::optional<double> {
        double value = 0.0, place = 0.0;
        int count = 0;
        for (char c : digits) {
            if (c == '.' && place == 0.0) {
                place = 1.0;
                continue;
            }
            if (c < '0' || c > '9' || ++count > 9) return std::nullopt;
            value = value * 10.0 + (c - '0');
            place *= 10.0;
        }
        if (count == 0) return std::nullopt;
        return place > 1.0 ? value / place : value;
    };
    const std::size_t slash = text.find('/');
    const std::optional<double> over = number(text.substr(0, slash));
    const std::optional<double> under = slash == std::string_view::npos ? 1.0 : number(text.substr(slash + 1));
    if (!over || !under || *under == 0.0) return std::nullopt;
    const double beats = *over / *under;
    if (!(beats > 0.0 && beats <= k_longest)) return std::nullopt;
    return beats;
}

class PhraseReader {
public:
    PhraseReader(std::string_view text, double beats_per_bar) : m_text(text), m_beats_per_bar(beats_per_bar) {}

    Status read() {
        while (m_status.ok()) {
            while (m_at < m_text.size() && blank(m_text[m_at]))
                ++m_at;
            if (m_at >= m_text.size()) break;
            const std::string_view rest = m_text.substr(m_at);
            if (rest.substr(0, 2) == ":|")
                repeat_end();
            else if (rest[0] == '|')
                bar_line();
            else
                token();
        }
        if (m_status.ok()) end_bar();
        if (m_status.ok() && m_repeat_open) {
            m_bar = m_repeat_bar;
            fail(m_repeat_at, "the repeat that begins here has no end", "close it with :|");
        }
        if (m_status.ok() && m_steps.empty()) fail(0, "there is no chord", "give chords such as Am9 | Fmaj7 | C/G | G");
        return m_status;
    }
    std::vector<Phrase::Step> take() { return std::move(m_steps); }

private:
    struct Item {
        enum Kind { chord, rest, hold, again } kind = chord;
        Chord what;
        std::optional<double> beats;
        std::size_t at = 0;
    };

    void fail(std::size_t at, const std::string& what, const std::string& remedy, Code code = Code::malformed) {
        if (!m_status.ok()) return;
        int column = 1;
        for (std::size_t i = 0; i < at; ++i)
            column += (static_cast<unsigned char>(m_text[i]) & 0xc0) != 0x80;
        m_status =
            Status(code, "phrase, bar " + std::to_string(m_bar) + ", column " + std::to_string(column) + ": " + what,
                   "no phrase was made", remedy);
    }

    void bar_line() {
        const std::size_t at = m_at;
        end_bar();
        while (m_at < m_text.size() && m_text[m_at] == '|')
            ++m_at;
        if (m_at < m_text.size() && m_text[m_at] == ':') {
            if (m_repeat_open) fail(at, "a repeat inside a repeat", "close the first with :|");
            m_repeat_open = true;
            m_repeat_from = m_steps.size();
            m_repeat_at = at;
            m_repeat_bar = m_bar;
            ++m_at;
        }
    }

    void repeat_end() {
        const std::size_t at = m_at;
        end_bar();
        m_at += 2;
        while (m_at < m_text.size() && m_text[m_at] == '|')
            ++m_at;
        int times = 2;
        if (m_at < m_text.size() && (m_text[m_at] == 'x' || m_text.substr(m_at, 2) == "\xc3\x97")) {
            m_at += m_text[m_at] == 'x' ? 1 : 2;
            times = 0;
            while (m_at < m_text.size() && m_text[m_at] >= '0' && m_text[m_at] <= '9' && times < 10'000)
                times = times * 10 + (m_text[m_at++] - '0');
            if (times < 1 || times > 1000) fail(at, "a repeat of that number", "give :|x2 to :|x1000");
        } else if (m_text.substr(m_at, 1) == ":") { // ":|:" ends one and begins the next
            play_again(at, times);
            m_repeat_open = true;
            m_repeat_from = m_steps.size();
            m_repeat_at = at;
            m_repeat_bar = m_bar;
            ++m_at;
            return;
        }
        play_again(at, times);
    }

    void play_again(std::size_t at, int times) {
        if (!m_status.ok()) return;
        const std::size_t from = m_repeat_open ? m_repeat_from : 0; // without a beginning: from the first bar on
        m_repeat_open = false;
        if (from == m_steps.size()) return fail(at, "an empty repeat", "put bars between |: and :|");
        const std::vector<Phrase::Step> part(m_steps.begin() + static_cast<std::ptrdiff_t>(from), m_steps.end());
        for (int i = 1; i < times; ++i)
            for (const Phrase::Step& step : part)
                if (!add(step, at)) return;
    }

    bool add(const Phrase::Step& step, std::size_t at) {
        if (m_steps.size() >= k_steps) {
            fail(at, "more than 4,096 chords", "make several phrases of it", Code::too_large);
            return false;
        }
        m_steps.push_back(step);
        return true;
    }

    void token() {
        Item item;
        item.at = m_at;
        int open = 0;
        std::size_t end = m_at;
        while (end < m_text.size() && m_text[end] != '|' && (open > 0 || !blank(m_text[end])) &&
               m_text.substr(end, 2) != ":|") {
            open += m_text[end] == '(' ? 1 : m_text[end] == ')' ? -1 : 0;
            ++end;
        }
        std::string_view word = m_text.substr(m_at, end - m_at);
        m_at = end;
        if (const std::size_t colon = word.find(':'); colon != std::string_view::npos) {
            item.beats = read_beats(word.substr(colon + 1));
            if (!item.beats)
                return fail(item.at + colon, "what stands after the colon is no number of beats",
                            "give beats as 2, 1.5 or 1/2");
            word = word.substr(0, colon);
        }
        if (word == "-" || word == "r" || word == "N.C." || word == "NC" || word == "N.C") {
            item.kind = Item::rest;
        } else if (word == ".") {
            item.kind = Item::hold;
        } else if (word == "%") {
            item.kind = Item::again;
            if (item.beats) return fail(item.at, "% is a whole bar and takes no beats", "take the beats away");
        } else {
            Result<Chord> chord = Chord::parse(word);
            if (!chord.ok()) return fail(item.at, chord.status().what(), chord.status().remedy());
            item.what = *std::move(chord);
        }
        m_items.push_back(std::move(item));
    }

    void end_bar() {
        if (m_items.empty() || !m_status.ok()) return;
        const std::vector<Item> items = std::move(m_items);
        m_items.clear();
        const bool again =
            std::any_of(items.begin(), items.end(), [](const Item& item) { return item.kind == Item::again; });
        if (again) {
            if (items.size() > 1)
                return fail(items[0].at, "% stands alone in its bar", "write the bar's chords instead");
            if (m_last_bar.empty())
                return fail(items[0].at, "there is no bar before this %", "write the bar's chords instead");
            for (const Phrase::Step& step : m_last_bar)
                if (!add(step, items[0].at)) return;
            ++m_bar;
            return;
        }
        double given = 0.0;
        int sharing = 0;
        for (const Item& item : items) {
            given += item.beats.value_or(0.0);
            sharing += !item.beats;
        }
        const double share = sharing > 0 ? (m_beats_per_bar - given) / sharing : 0.0;
        if (sharing > 0 && !(share > 1e-9))
            return fail(items[0].at, "nothing of this bar is left for the chords without a number of beats",
                        "give them beats as Am7:1, or shorten the others");
        m_last_bar.clear();
        for (const Item& item : items) {
            const double beats = item.beats.value_or(share);
            if (item.kind == Item::hold) {
                if (!m_last_bar.empty()) {
                    m_last_bar.back().beats += beats;
                    m_steps.back().beats += beats;
                    continue;
                }
                if (m_steps.empty())
                    return fail(item.at, "there is no chord yet to go on with", "begin with a chord, or - for a rest");
                // Over the bar line: this bar's first step is the end of the last one.
                m_steps.back().beats += beats;
                continue;
            }
            Phrase::Step step;
            step.chord = item.what;
            step.beats = beats;
            step.bar_start = &item == &items.front();
            m_last_bar.push_back(step);
            if (!add(step, item.at)) return;
        }
        ++m_bar;
    }

    std::string_view m_text;
    double m_beats_per_bar;
    std::size_t m_at = 0;
    int m_bar = 1, m_repeat_bar = 1;
    bool m_repeat_open = false;
    std::size_t m_repeat_from = 0, m_repeat_at = 0;
    std::vector<Item> m_items;
    std::vector<Phrase::Step> m_steps, m_last_bar;
    Status m_status;
};

} // namespace

Result<Phrase> Phrase::parse(std::string_view text, double beats_per_bar) {
    if (text.size() > k_bytes)
        return Status(Code::too_large, "a phrase of more than 64 KiB", "no phrase was made",
                      "make several phrases of it");
    if (!(beats_per_bar > 0.0 && beats_per_bar <= 64.0))
        return Status(Code::out_of_range, "the beats of a bar are not above 0 and up to 64", "no phrase was made",
                      "give 4, or 3 for a waltz");
    PhraseReader reader(text, beats_per_bar);
    if (Status status = reader.read(); !status.ok()) return status;
    Phrase phrase;
    phrase.m_steps = reader.take();
    double beat = 0.0;
    for (Step& step : phrase.m_steps) {
        step.beat = beat;
        beat += step.beats;
    }
    return phrase;
}

double Phrase::beats() const noexcept {
    return m_steps.empty() ? 0.0 : m_steps.back().beat + m_steps.back().beats;
}

} // namespace tutti
