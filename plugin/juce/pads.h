// SPDX-License-Identifier: AGPL-3.0-or-later
// What a job has made, and the pads that it is dropped on: a click plays one, another stops it.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include <tutti/engine.h>

#include "plugin/juce/look.h"

namespace tutti::plugin {

class Processor;

// Made once, on the worker, and shared from there on: nothing of it is computed again where it is drawn or dragged.
struct Made {
    juce::String name;
    std::shared_ptr<const Sound> sound;
    std::vector<float> outline; // [column] the greatest of each 512th of the sound
    juce::File file;            // the same as a WAV file, for other programs
};
using MadePointer = std::shared_ptr<const Made>;

inline constexpr int k_pads = 8;
inline constexpr const char* k_made_drag = "made:"; // what a drag of one calls itself

// A component that something made is dragged from. Over a pad the sound is dropped, outside the window its file.
struct MadeSource {
    virtual ~MadeSource() = default;
    virtual MadePointer made() const = 0; // null: not yet [control]
};

// The outline in the given place. [control]
void draw_outline(juce::Graphics& g, juce::Rectangle<float> area, const Made& made);

// What sounds of one of them: the stream's last part plays it beside the patch. [control]
class Player {
public:
    // Begins, or stops what it began. Empty, or why nothing can be heard. [control]
    juce::String toggle(Processor& processor, const Made& made);
    bool playing() const noexcept { return m_playing && !m_clip.ended(); }

private:
    Clip m_clip;
    bool m_playing = false;
};

class Pads : public juce::Component {
public:
    explicit Pads(Processor& processor);
    ~Pads() override;
    void refresh(); // [control]
    void resized() override;

private:
    struct Pad;
    std::vector<std::unique_ptr<Pad>> m_pads;
};

} // namespace tutti::plugin
