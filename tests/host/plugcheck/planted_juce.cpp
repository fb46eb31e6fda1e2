// SPDX-License-Identifier: AGPL-3.0-or-later
// What the planted CLAP plugin lacks, an editor and programs, each with the fault that TUTTI_PLANTED names.
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <limits>

#include "tests/host/plugcheck/juce_host.h"

namespace tutti::host {
namespace {

bool planted(const char* name) {
    const char* const fault = std::getenv("TUTTI_PLANTED");
    return fault != nullptr && std::string(fault) == name;
}

class Beeper final : public juce::AudioPluginInstance {
public:
    Beeper() : AudioPluginInstance(BusesProperties().withOutput("Out", juce::AudioChannelSet::stereo())) {
        struct Level final : Parameter {
            float held = 0.5f;
            float getValue() const override { return held; }
            void setValue(float to) override { held = to; }
            float getDefaultValue() const override { return 0.5f; }
            juce::String getName(int) const override { return "Level"; }
            juce::String getLabel() const override { return {}; }
            juce::String getParameterID() const override { return "level"; }
        };
        addHostedParameter(std::make_unique<Level>());
    }
    void fillInPluginDescription(juce::PluginDescription& about) const override {
        about.name = "Beeper";
        about.manufacturerName = "Tutti";
        about.version = "1.0.0";
        about.isInstrument = true;
    }
    const juce::String getName() const override { return "Beeper"; }
    void prepareToPlay(double rate, int) override { m_step = rate > 0.0 ? 440.0 / rate : 0.0; }
    void releaseResources() override {}
    void processBlock(juce::AudioBuffer<float>& buffer, juce::MidiBuffer& midi) override {
        for (const auto message : midi)
            m_on = message.getMessage().isNoteOn() || (m_on && !message.getMessage().isNoteOff());
        for (int i = 0; i < buffer.getNumSamples(); ++i) {
            m_phase += m_step * (1 + m_program);
            const float sample = m_on ? 0.2f * static_cast<float>(std::sin(6.283185307 * m_phase)) : 0.0f;
            for (int c = 0; c < buffer.getNumChannels(); ++c)
                buffer.setSample(c, i,
                                 planted("editor.plays") && m_open ? std::numeric_limits<float>::quiet_NaN() : sample);
        }
    }
    void reset() override { m_on = false; }
    double getTailLengthSeconds() const override { return 0.0; }
    bool acceptsMidi() const override { return true; }
    bool producesMidi() const override { return false; }
    bool hasEditor() const override { return true; }
    int getNumPrograms() override { return 3; }
    int getCurrentProgram() override { return m_program; }
    void setCurrentProgram(int i) override {
        if (i >= 0 && i < 3) m_program = i;
    }
    const juce::String getProgramName(int i) override {
        return planted("programs") ? juce::String("Same") : "Program " + juce::String(i + 1);
    }
    void changeProgramName(int, const juce::String&) override {}
    void getStateInformation(juce::MemoryBlock& block) override { block.append("beeper", 6); }
    void setStateInformation(const void*, int) override {}

    juce::AudioProcessorEditor* createEditor() override {
        struct Picture final : juce::AudioProcessorEditor, juce::Timer {
            explicit Picture(Beeper& beeper) : AudioProcessorEditor(beeper), owner(beeper) {
                setSize(300, 200);
                owner.m_open = true;
                startTimer(5);
            }
            ~Picture() override { owner.m_open = false; }
            void timerCallback() override {
                if (!planted("editor.automation")) return;
                const auto begin = std::clock();
                while (std::clock() - begin < CLOCKS_PER_SEC * 7 / 100) {
                }
            }
            void paint(juce::Graphics& graphics) override { graphics.fillAll(juce::Colours::black); }
            Beeper& owner;
        };
        ++m_opened;
        if ((planted("editor.opens") && m_opened == 2) || (planted("editor.stress") && m_opened == 20)) return nullptr;
        return new Picture(*this);
    }

private:
    std::atomic<bool> m_open{false};
    bool m_on = false;
    int m_program = 0, m_opened = 0;
    double m_phase = 0.0, m_step = 0.0;
};

} // namespace

std::unique_ptr<Plugin> load_planted() {
    start_juce();
    return std::make_unique<JucePlugin>(std::make_unique<Beeper>(), "planted (JUCE)");
}

} // namespace tutti::host
