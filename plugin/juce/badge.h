// SPDX-License-Identifier: AGPL-3.0-or-later
// The quiet badge in the status line.
#pragma once

#include "plugin/juce/look.h"

namespace tutti::plugin {

// Says quietly that a device was lost and who renders since. A component, so that a screen reader finds it.
class Badge : public juce::Component {
public:
    void say(const juce::String& words) {
        if (words == getTitle()) return;
        setTitle(words);
        setVisible(words.isNotEmpty());
        repaint();
    }
    void paint(juce::Graphics& g) override {
        g.setColour(look::k_warn.withAlpha(0.2f));
        g.fillRoundedRectangle(getLocalBounds().toFloat(), 7.0f);
        g.setColour(look::k_warn);
        g.setFont(look::font(look::k_font_small + 0.5f));
        g.drawFittedText(getTitle(), getLocalBounds().reduced(6, 0), juce::Justification::centred, 1, 0.7f);
    }
};

} // namespace tutti::plugin
