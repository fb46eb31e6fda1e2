// SPDX-License-Identifier: AGPL-3.0-or-later
// A juce::AudioPluginInstance as the checks see a plugin: VST3 and LV2 as JUCE hosts them.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include <juce_audio_processors/juce_audio_processors.h>

#include "tests/host/plugcheck/plugin.h"

namespace tutti::host {

// JUCE's own state of the process, made at the first plugin: this thread is the message thread from then on.
void start_juce();

class JucePlugin final : public Plugin, private juce::AudioPlayHead {
public:
    JucePlugin(std::unique_ptr<juce::AudioPluginInstance> instance, std::string format);
    ~JucePlugin() override;

    std::string format() const override { return m_format; }
    std::string name() const override { return m_about.name.toStdString(); }
    std::string vendor() const override { return m_about.manufacturerName.toStdString(); }
    std::string version() const override { return m_about.version.toStdString(); }
    int ins() const override { return m_instance->getTotalNumInputChannels(); }
    int outs() const override { return m_instance->getTotalNumOutputChannels(); }
    std::string structure() override;
    bool prepare(double sample_rate, int max_frames, bool offline) override;
    void release() override;
    void reset() override { m_instance->reset(); }
    void process(const Block& block) noexcept override;
    int latency() override { return m_instance->getLatencySamples(); }
    std::int64_t tail() override;
    const std::vector<Parameter>& parameters() const override { return m_list; }
    double value(int parameter) override;
    void set(int parameter, double value) override;
    std::string text(int parameter, double value) override;
    std::optional<double> parse(int parameter, const std::string& text) override;
    Bytes save() override;
    bool load(std::span<const std::uint8_t> state, int piece) override;
    bool tells_refusal() const override { return false; }
    int programs() override;
    std::string program_name(int i) override { return m_instance->getProgramName(i).toStdString(); }
    void set_program(int i) override { m_instance->setCurrentProgram(i); }
    std::unique_ptr<Editor> open_editor() override;
    bool has_editor() override { return m_instance->hasEditor(); }
    void idle(int milliseconds) override;

private:
    juce::Optional<PositionInfo> getPosition() const override { return m_position; }
    void give(int parameter, double value) noexcept;
    void process(const Block& block, int from, int to) noexcept;

    std::unique_ptr<juce::AudioPluginInstance> m_instance;
    std::string m_format;
    bool m_vst3;
    bool m_active = false;
    std::atomic<bool> m_unsent{false}; // values were set that no block has brought
    juce::PluginDescription m_about;
    std::vector<Parameter> m_list;
    std::vector<juce::AudioProcessorParameter*> m_parameters;
    juce::MidiBuffer m_midi;
    juce::Optional<PositionInfo> m_position;
    double m_rate = 0.0;
};

} // namespace tutti::host
