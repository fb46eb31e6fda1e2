// SPDX-License-Identifier: AGPL-3.0-or-later
#include <algorithm>

#include <tutti/phrase.h>
#include <tutti/worker.h>

#include "plugin/juce/pads.h"
#include "plugin/juce/pages.h"

namespace tutti::plugin {
namespace {

constexpr int k_row = 64;
constexpr double k_tail_seconds = 3.0;

// What is drawn, and dragged to other programs: made here, where it may take its time.
Result<MadePointer> finish(const JobContext& context, juce::String name, Sound sound) {
    context.report("writing", 1.0);
    auto made = std::make_shared<Made>();
    made->name = std::move(name);
    const std::vector<float>& x = sound.channels[0];
    constexpr std::size_t k_columns = 512;
    for (std::size_t c = 0; c < k_columns && !x.empty(); ++c) {
        const std::size_t from = x.size() * c / k_columns, to = std::max(from + 1, x.size() * (c + 1) / k_columns);
        float most = 0.0f;
        for (std::size_t i = from; i < to && i < x.size(); ++i)
            most = std::max(most, std::fabs(x[i]));
        made->outline.push_back(most);
    }
    const juce::File file =
        juce::File::getSpecialLocation(juce::File::tempDirectory)
            .getNonexistentChildFile(juce::File::createLegalFileName("Tutti " + made->name), ".wav");
    if (std::unique_ptr<juce::FileOutputStream> stream = file.createOutputStream()) {
        juce::WavAudioFormat format;
        const auto channels = static_cast<unsigned>(sound.channels.size());
        std::unique_ptr<juce::AudioFormatWriter> writer(
            format.createWriterFor(stream.get(), sound.sample_rate, channels, 24, {}, 0));
        if (writer != nullptr) {
            (void)stream.release(); // the writer's now
            std::vector<const float*> pointers;
            for (const std::vector<float>& channel : sound.channels)
                pointers.push_back(channel.data());
            writer->writeFromFloatArrays(pointers.data(), static_cast<int>(channels), static_cast<int>(x.size()));
            made->file = file;
        }
    }
    made->sound = std::make_shared<const Sound>(std::move(sound));
    return MadePointer(std::move(made));
}

// Chords with a patch, offline, on a stream and an engine of their own: nothing that plays is disturbed.
Result<MadePointer> render_phrase(const JobContext& context, const juce::String& name, const Phrase& phrase,
                                  const Patch& patch, double tempo, double rate) {
    EngineConfig alone;
    alone.threads = 1;
    Result<std::unique_ptr<Engine>> engine = Engine::create(alone);
    if (!engine) return engine.status();
    StreamConfig config;
    config.sample_rate = rate;
    config.mode = Mode::offline;
    config.parts = 1;
    Result<std::shared_ptr<Stream>> stream = engine.value()->open(config);
    if (!stream) return stream.status();
    if (Status status = stream.value()->set_patch(0, patch); !status) return status;
    Result<Sender> sender = stream.value()->make_sender();
    if (!sender) return sender.status();
    PhraseStyle style;
    style.tempo = tempo;
    style.sample_rate = rate;
    const std::vector<Event> events = phrase.events(style);
    const auto frames = static_cast<std::int64_t>((phrase.beats() * 60.0 / tempo + k_tail_seconds) * rate);
    if (frames > static_cast<std::int64_t>(rate * 600.0))
        return Status(Code::too_large, "the phrase lasts longer than ten minutes", "nothing was rendered",
                      "make it shorter, or faster");
    Sound sound(rate, std::vector<std::vector<float>>(2, std::vector<float>(static_cast<std::size_t>(frames))));
    std::size_t next = 0;
    constexpr int k_block = 512;
    for (std::int64_t at = 0; at < frames; at += k_block) {
        if (context.cancelled()) return context.stopped();
        const int count = static_cast<int>(std::min<std::int64_t>(k_block, frames - at));
        while (next < events.size() && events[next].frame < at + count)
            sender.value().post(events[next++]);
        float* out[2] = {sound.channels[0].data() + at, sound.channels[1].data() + at};
        stream.value()->pull(out, count);
        context.report("rendering", static_cast<double>(at + count) / static_cast<double>(frames));
    }
    return finish(context, name, std::move(sound));
}

juce::String clock(double seconds) {
    const int whole = juce::jmax(0, juce::roundToInt(seconds));
    return whole >= 60 ? juce::String(whole / 60) + " min " + juce::String(whole % 60) + " s"
                       : juce::String(whole) + " s";
}

} // namespace

// One job: what it is, how far, how long still; then its sound to play, to drop on a pad or to drag out.
struct WorkerPage::Row : juce::Component, MadeSource {
    Row(WorkerPage& owner, JobOf<MadePointer> work, std::shared_ptr<Engine> keep)
        : page(owner), job(std::move(work)), engine(std::move(keep)) {
        name = text_of(job.name());
        setTitle(name);
        cancel.onClick = [this] { job.cancel(); };
        play.onClick = [this] {
            page.m_said = player.toggle(page.m_processor, *result);
            page.repaint();
        };
        addAndMakeVisible(cancel);
        addChildComponent(play);
    }
    MadePointer made() const override { return result; }
    void refresh() {
        if (done) return;
        progress = job.progress();
        if (job.ended()) {
            done = true;
            Result<MadePointer> made = job.take();
            cancel.setVisible(false);
            if (made) {
                result = std::move(made).value();
                play.setVisible(true);
                setMouseCursor(juce::MouseCursor::DraggingHandCursor);
            } else {
                fault = made.status().code() == Code::cancelled ? juce::String("Cancelled.")
                                                                : text_of(made.status().message());
            }
        }
        repaint();
    }
    void mouseDrag(const juce::MouseEvent& event) override {
        if (result == nullptr || event.getDistanceFromDragStart() < 6) return;
        if (auto* const container = juce::DragAndDropContainer::findParentDragContainerFor(this);
            container != nullptr && !container->isDragAndDropActive())
            container->startDragging(k_made_drag, this);
    }
    void resized() override {
        const juce::Rectangle<int> button = getLocalBounds().reduced(10, 18).removeFromRight(76);
        cancel.setBounds(button);
        play.setBounds(button);
    }
    void paint(juce::Graphics& g) override {
        look::draw_panel(g, getLocalBounds(), {});
        juce::Rectangle<int> area = getLocalBounds().reduced(12, 8).withTrimmedRight(92);
        g.setColour(look::k_text);
        g.setFont(look::font(13.5f));
        g.drawText(name, area.removeFromTop(20), juce::Justification::centredLeft, true);
        juce::Rectangle<int> below = area.withTrimmedTop(4);
        if (result != nullptr) {
            draw_outline(g, below.removeFromLeft(below.getWidth() - 190).toFloat(), *result);
            g.setColour(look::k_quiet);
            g.setFont(look::font());
            g.drawText("drag it to a pad, or out as a file", below.withTrimmedLeft(10),
                       juce::Justification::centredLeft, true);
        } else if (done) {
            g.setColour(look::k_warn);
            g.setFont(look::font());
            g.drawFittedText(fault, below, juce::Justification::centredLeft, 2);
        } else {
            const juce::Rectangle<float> bar = below.removeFromTop(10).toFloat();
            look::draw_well(g, bar);
            g.setColour(look::k_accent);
            g.fillRoundedRectangle(
                bar.withWidth(std::max(4.0f, bar.getWidth() * static_cast<float>(progress.fraction))), 4.0f);
            g.setColour(look::k_quiet);
            g.setFont(look::font(look::k_font_small));
            const juce::String left =
                progress.seconds_left < 0.0 ? juce::String("...") : clock(progress.seconds_left) + " left";
            g.drawText((progress.stage.empty() ? juce::String("waiting") : text_of(progress.stage)) + "  " +
                           juce::String(juce::roundToInt(100.0 * progress.fraction)) + " %, " + left,
                       below, juce::Justification::centredLeft, true);
        }
    }
    WorkerPage& page;
    JobOf<MadePointer> job;
    std::shared_ptr<Engine> engine; // its worker runs the job
    JobProgress progress;
    MadePointer result;
    Player player;
    juce::String name, fault;
    bool done = false;
    juce::TextButton cancel{"Cancel"}, play{"Play"};
};

WorkerPage::WorkerPage(Processor& processor) : m_processor(processor), m_pads(processor) {
    m_phrase.setText("Am9 | Fmaj7 | C/G | G6sus4", false);
    m_phrase.setTitle("Chords of the phrase");
    m_phrase.setJustification(juce::Justification::centredLeft);
    m_tempo.setJustification(juce::Justification::centredLeft);
    m_phrase.setFont(look::font(14.0f));
    m_tempo.setText("80", false);
    m_tempo.setTitle("Beats a minute");
    m_tempo.setInputRestrictions(5, "0123456789.");
    m_tempo.setFont(look::font(14.0f));
    m_render.onClick = [this] { begin(); };
    m_phrase.onReturnKey = [this] { begin(); };
    setTitle("Worker");
    m_viewport.setTitle("Jobs");
    m_viewport.setViewedComponent(&m_content, false);
    m_viewport.setScrollBarsShown(true, false);
    for (juce::Component* child : {static_cast<juce::Component*>(&m_phrase), static_cast<juce::Component*>(&m_tempo),
                                   static_cast<juce::Component*>(&m_render), static_cast<juce::Component*>(&m_viewport),
                                   static_cast<juce::Component*>(&m_pads)})
        addAndMakeVisible(child);
}

WorkerPage::~WorkerPage() {
    for (const auto& row : m_rows)
        row->job.cancel();
}

void WorkerPage::begin() {
    const std::shared_ptr<Engine> engine = m_processor.instance().engine();
    const Result<Phrase> phrase = Phrase::parse(m_phrase.getText().toStdString());
    const double tempo = juce::jlimit(20.0, 400.0, m_tempo.getText().getDoubleValue());
    m_said = !phrase             ? text_of(phrase.status().message())
             : engine == nullptr ? juce::String("The host has not started the sound yet; start it, then try again.")
                                 : juce::String();
    repaint();
    if (!phrase || engine == nullptr) return;
    const Patch patch = m_processor.instance().patch();
    const double rate = std::max(8000.0, m_processor.instance().sample_rate());
    JobConfig config;
    config.name = (text_of(patch.name) + ": " + m_phrase.getText()).toStdString();
    const juce::String name = text_of(config.name);
    JobOf<MadePointer> job = engine->worker().submit<MadePointer>(
        std::move(config), std::function<Result<MadePointer>(JobContext&)>(
                               [name, phrase = *phrase, patch, tempo, rate](JobContext& context) {
                                   return render_phrase(context, name, phrase, patch, tempo, rate);
                               }));
    m_rows.insert(m_rows.begin(), std::make_unique<Row>(*this, std::move(job), engine));
    m_content.addAndMakeVisible(*m_rows.front());
    resized();
}

void WorkerPage::refresh() {
    for (const auto& row : m_rows)
        row->refresh();
    m_pads.refresh();
}

void WorkerPage::resized() {
    juce::Rectangle<int> area = getLocalBounds();
    area.removeFromTop(look::k_header + 4);
    juce::Rectangle<int> line = area.removeFromTop(30).reduced(12, 0);
    m_render.setBounds(line.removeFromRight(90));
    line.removeFromRight(8);
    line.removeFromRight(34); // "bpm"
    m_tempo.setBounds(line.removeFromRight(64));
    line.removeFromRight(8);
    m_phrase.setBounds(line);
    area.removeFromTop(54);
    m_pads.setBounds(area.removeFromBottom(k_row).reduced(12, 6));
    area.removeFromBottom(look::k_header);
    m_viewport.setBounds(area);
    m_content.setSize(std::max(1, area.getWidth() - 10), std::max(1, static_cast<int>(m_rows.size()) * (k_row + 6)));
    for (std::size_t i = 0; i < m_rows.size(); ++i)
        m_rows[i]->setBounds(0, static_cast<int>(i) * (k_row + 6), m_content.getWidth(), k_row);
}

void WorkerPage::paint(juce::Graphics& g) {
    look::draw_panel(g, getLocalBounds().removeFromTop(look::k_header + 4 + 30 + 46), "A phrase with this sound");
    g.setColour(look::k_quiet);
    g.setFont(look::font());
    g.drawText("bpm", m_tempo.getRight() + 6, m_tempo.getY(), 30, 30, juce::Justification::centredLeft, false);
    const bool fault = m_said.isNotEmpty();
    g.setColour(fault ? look::k_warn : look::k_quiet);
    g.drawFittedText(
        fault ? m_said
              : juce::String(
                    "Chords between bars; rendered beside the audio, with the sound as it is now. Cancel at any time."),
        juce::Rectangle<int>(12, m_phrase.getBottom() + 6, getWidth() - 24, 34), juce::Justification::topLeft, 2);
    g.setFont(look::font());
    g.setColour(look::k_quiet);
    g.drawText("Pads", juce::Rectangle<int>(12, m_pads.getY() - look::k_header, getWidth() - 24, look::k_header),
               juce::Justification::centredLeft, false);
    if (m_rows.empty())
        g.drawText("No jobs yet.", juce::Rectangle<int>(0, m_phrase.getBottom() + 60, getWidth(), 30),
                   juce::Justification::centred, false);
}

} // namespace tutti::plugin
