// SPDX-License-Identifier: AGPL-3.0-or-later
#include "plugin/juce/pads.h"

#include <algorithm>

#include "plugin/juce/processor.h"

namespace tutti::plugin {
namespace {
constexpr int k_part = 15; // of its own, where no channel without MPE plays
} // namespace

void draw_outline(juce::Graphics& g, juce::Rectangle<float> area, const Made& made) {
    look::draw_well(g, area);
    area = area.reduced(3.0f, 2.0f);
    g.setColour(look::k_accent);
    const int columns = static_cast<int>(area.getWidth());
    const std::size_t points = made.outline.size();
    for (int c = 0; c < columns && points > 0; ++c) {
        const std::size_t from = points * static_cast<std::size_t>(c) / static_cast<std::size_t>(columns);
        const std::size_t to =
            std::max(from + 1, points * static_cast<std::size_t>(c + 1) / static_cast<std::size_t>(columns));
        const float most = *std::max_element(made.outline.begin() + static_cast<std::ptrdiff_t>(from),
                                             made.outline.begin() + static_cast<std::ptrdiff_t>(to));
        const float half = std::max(0.5f, std::min(1.0f, most) * area.getHeight() * 0.5f);
        g.fillRect(area.getX() + static_cast<float>(c), area.getCentreY() - half, 1.0f, 2.0f * half);
    }
}

juce::String Player::toggle(Processor& processor, const Made& made) {
    if (playing()) {
        (void)m_clip.stop(); // a full queue leaves it to end by itself
        m_playing = false;
        return {};
    }
    const std::shared_ptr<Stream> stream = processor.instance().stream();
    if (stream == nullptr) return "Nothing can be heard yet: the host has not started the sound.";
    Result<Clip> clip = stream->play(k_part, made.sound);
    if (!clip) return juce::String::fromUTF8(clip.status().message().c_str());
    m_clip = *clip;
    m_playing = true;
    return {};
}

struct Pads::Pad : juce::Component, juce::SettableTooltipClient, juce::DragAndDropTarget, MadeSource {
    Pad(Processor& of, int which) : processor(of), number(which) {
        setWantsKeyboardFocus(true);
        refresh();
    }
    MadePointer made() const override { return processor.pads()[static_cast<std::size_t>(number)]; }

    void refresh() {
        const MadePointer now = made();
        const bool sounds = player.playing();
        if (now == shown && sounds == lit && getTitle().isNotEmpty()) return;
        shown = now;
        lit = sounds;
        setTitle("Pad " + juce::String(number + 1) + ": " + (shown != nullptr ? shown->name : juce::String("empty")));
        setTooltip(shown != nullptr ? shown->name + ". Click: play or stop. Drag it out as a WAV file."
                                    : juce::String("Drop what a job has made here."));
        repaint();
    }
    void play() {
        if (shown != nullptr) (void)player.toggle(processor, *shown); // the status line says what is missing
        refresh();
    }
    void paint(juce::Graphics& g) override {
        const juce::Rectangle<float> area = getLocalBounds().toFloat();
        if (shown != nullptr) {
            draw_outline(g, area, *shown);
        } else {
            look::draw_well(g, area);
            g.setColour(look::k_quiet);
            g.setFont(look::font(look::k_font_small));
            g.drawText(juce::String(number + 1), getLocalBounds(), juce::Justification::centred, false);
        }
        if (lit || over) {
            g.setColour(over ? look::k_move : look::k_accent);
            g.drawRoundedRectangle(area.reduced(1.0f), 4.0f, 2.0f);
        }
        look::draw_focus(g, *this);
    }
    bool keyPressed(const juce::KeyPress& key) override {
        if (key.isKeyCode(juce::KeyPress::returnKey) || key.isKeyCode(juce::KeyPress::spaceKey))
            play();
        else if (key.isKeyCode(juce::KeyPress::deleteKey) || key.isKeyCode(juce::KeyPress::backspaceKey))
            processor.pads()[static_cast<std::size_t>(number)] = nullptr;
        else
            return false;
        refresh();
        return true;
    }
    void focusGained(FocusChangeType) override { repaint(); }
    void focusLost(FocusChangeType) override { repaint(); }
    void mouseDrag(const juce::MouseEvent& event) override {
        if (shown == nullptr || event.getDistanceFromDragStart() < 6) return;
        if (auto* const container = juce::DragAndDropContainer::findParentDragContainerFor(this);
            container != nullptr && !container->isDragAndDropActive())
            container->startDragging(k_made_drag, this);
    }
    void mouseUp(const juce::MouseEvent& event) override {
        if (event.getDistanceFromDragStart() < 6) play();
    }
    bool isInterestedInDragSource(const SourceDetails& details) override {
        return details.description.toString() == k_made_drag && details.sourceComponent != this;
    }
    void itemDragEnter(const SourceDetails&) override {
        over = true;
        repaint();
    }
    void itemDragExit(const SourceDetails&) override {
        over = false;
        repaint();
    }
    void itemDropped(const SourceDetails& details) override {
        over = false;
        if (const auto* const source = dynamic_cast<const MadeSource*>(details.sourceComponent.get()))
            processor.pads()[static_cast<std::size_t>(number)] = source->made();
        refresh();
    }
    std::unique_ptr<juce::AccessibilityHandler> createAccessibilityHandler() override {
        return std::make_unique<juce::AccessibilityHandler>(
            *this, juce::AccessibilityRole::button,
            juce::AccessibilityActions().addAction(juce::AccessibilityActionType::press, [this] { play(); }));
    }

    Processor& processor;
    int number;
    MadePointer shown;
    Player player;
    bool lit = false, over = false;
};

Pads::Pads(Processor& processor) {
    setTitle("Pads");
    for (int i = 0; i < k_pads; ++i) {
        m_pads.push_back(std::make_unique<Pad>(processor, i));
        addAndMakeVisible(*m_pads.back());
    }
}

Pads::~Pads() = default;

void Pads::refresh() {
    for (const auto& pad : m_pads)
        pad->refresh();
}

void Pads::resized() {
    const int step = (getWidth() + look::k_gap) / k_pads;
    for (int i = 0; i < k_pads; ++i)
        m_pads[static_cast<std::size_t>(i)]->setBounds(i * step, 0, step - look::k_gap, getHeight());
}

} // namespace tutti::plugin
