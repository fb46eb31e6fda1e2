// SPDX-License-Identifier: MIT
// Unity: put libtutti (shared) into Assets/Plugins and this on a GameObject with an AudioSource. Unity's audio thread pulls;
// notes are posted from the main thread. The names and layouts are those of tutti.h.
using System;
using System.Runtime.InteropServices;
using System.Text;
using UnityEngine;

[RequireComponent(typeof(AudioSource))]
public sealed class TuttiSynth : MonoBehaviour
{
    const string Library = "tutti";
    const long Now = -1;

    [DllImport(Library)] static extern void tutti_config_init(IntPtr config, UIntPtr size);
    [DllImport(Library)] static extern int tutti_create(IntPtr config, out IntPtr engine);
    [DllImport(Library)] static extern void tutti_destroy(IntPtr engine);
    [DllImport(Library)] static extern IntPtr tutti_last_error(IntPtr engine);
    [DllImport(Library)] static extern int tutti_set_patch(IntPtr engine, int part, byte[] name, long frame);
    [DllImport(Library)] static extern int tutti_sender_create(IntPtr engine, out IntPtr sender);
    [DllImport(Library)] [return: MarshalAs(UnmanagedType.I1)]
    static extern bool tutti_note_on(IntPtr sender, long frame, int part, int key, double velocity, int id);
    [DllImport(Library)] [return: MarshalAs(UnmanagedType.I1)]
    static extern bool tutti_note_off(IntPtr sender, long frame, int part, int key, int id);
    [DllImport(Library)] static extern int tutti_pull_interleaved(IntPtr engine, [In, Out] float[] samples, uint frames);
    [DllImport(Library)] static extern void tutti_pause(IntPtr engine, [MarshalAs(UnmanagedType.I1)] bool paused);

    public string patch = "soft-keys";
    IntPtr engine, sender;
    float[] mix = new float[0];

    static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text + "\0");

    void Awake()
    {
        // struct_size, padding, sample_rate, channels, ... : larger than any version's config, and filled by its defaults.
        const int size = 512;
        IntPtr config = Marshal.AllocHGlobal(size);
        tutti_config_init(config, (UIntPtr)size);
        Marshal.WriteInt64(config, 8, BitConverter.DoubleToInt64Bits(AudioSettings.outputSampleRate));
        int result = tutti_create(config, out engine);
        Marshal.FreeHGlobal(config);
        if (result != 0 || tutti_set_patch(engine, 0, Utf8(patch), Now) != 0 || tutti_sender_create(engine, out sender) != 0)
            Debug.LogError(Marshal.PtrToStringAnsi(tutti_last_error(engine)));
    }

    public bool NoteOn(int key, double velocity, int id = -1) => tutti_note_on(sender, Now, 0, key, velocity, id);
    public bool NoteOff(int key, int id = -1) => tutti_note_off(sender, Now, 0, key, id);

    // Unity's audio thread. Two channels of ours go to the first two of Unity's.
    void OnAudioFilterRead(float[] data, int channels)
    {
        if (sender == IntPtr.Zero) return;
        int frames = data.Length / channels;
        if (mix.Length < 2 * frames) mix = new float[2 * frames]; // once: Unity's block does not change
        tutti_pull_interleaved(engine, mix, (uint)frames);
        for (int i = 0; i < frames; ++i)
            for (int c = 0; c < Math.Min(channels, 2); ++c)
                data[i * channels + c] += mix[2 * i + c];
    }

    void OnApplicationPause(bool paused) { if (engine != IntPtr.Zero) tutti_pause(engine, paused); }

    void OnDestroy()
    {
        sender = IntPtr.Zero;
        tutti_destroy(engine);
        engine = IntPtr.Zero;
    }
}
