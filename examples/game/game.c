// SPDX-License-Identifier: MIT
// A small game with all its sound from Tutti: cars that pass, a player who walks on grass, gravel and metal, music that grows
// with danger. SDL2 gives the window, the keys and the audio callback. Arrow keys walk; without a hand on them the player
// walks by itself. --seconds N ends it by itself and says what was heard; with SDL's dummy drivers it needs no screen and no
// sound card. See docs/examples/game.md.
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <SDL2/SDL.h>

#include <tutti/tutti.h>

enum { k_cars = 24, k_width = 640, k_height = 360 };
enum { k_part_cars = 0, k_part_steps = 1, k_part_music = 2 };
enum { k_grass, k_gravel, k_metal };

typedef struct Car {
    float x, z, speed;
    tutti_voice voice;
} Car;

typedef struct Game {
    tutti_engine* engine;
    tutti_sender* sender; // of the game's thread
    Car cars[k_cars];
    float x, z;   // the player, in metres
    float walked; // since the last step
    float danger; // 0..1: how near the nearest car is
    int chord;
    double next_chord; // seconds
    int steps;
    SDL_atomic_t peak; // of what was given to the device, in thousandths
} Game;

static const char k_car_patch[] =
    "{\"tutti_patch\": 1, \"name\": \"Car\", \"voice\": \"subtractive\", \"voices\": 48, \"gain_db\": -6,"
    " \"parameters\": {\"osc1_wave\": \"saw\", \"osc2_wave\": \"pulse\", \"osc2_level\": 0.6, \"osc2_fine\": 14,"
    "   \"sub_level\": 0.5, \"cutoff\": 500, \"resonance\": 0.3, \"env1_attack\": 0.1, \"env1_release\": 0.3}}";
static const char k_step_patch[] =
    "{\"tutti_patch\": 1, \"name\": \"Step\", \"voice\": \"subtractive\", \"voices\": 8,"
    " \"parameters\": {\"osc1_level\": 0, \"noise_level\": 1, \"noise_color\": \"pink\", \"cutoff\": 900,"
    "   \"env1_attack\": 0.001, \"env1_decay\": 0.08, \"env1_sustain\": 0, \"env1_release\": 0.05}}";

// SDL's audio thread: nothing but the pull.
static void SDLCALL give_sound(void* user, Uint8* bytes, int size) {
    Game* const game = user;
    float* const samples = (float*)(void*)bytes;
    const int count = size / (int)sizeof(float);
    tutti_pull_interleaved(game->engine, samples, (uint32_t)count / 2);
    float peak = 0.0f;
    for (int i = 0; i < count; ++i)
        peak = fabsf(samples[i]) > peak ? fabsf(samples[i]) : peak;
    const int thousandths = (int)(peak * 1000.0f);
    if (thousandths > SDL_AtomicGet(&game->peak)) SDL_AtomicSet(&game->peak, thousandths);
}

static int ground_at(float x) {
    const int stripe = ((int)floorf(x / 8.0f) % 3 + 3) % 3;
    return stripe == 0 ? k_grass : stripe == 1 ? k_gravel : k_metal;
}

static bool start_sound(Game* game) {
    tutti_config config = tutti_config_default();
    config.voices = 128;
    config.tracked_voices = k_cars;
    config.audible_voices = 12;
    if (tutti_create(&config, &game->engine) != TUTTI_OK ||
        tutti_set_patch_text(game->engine, k_part_cars, k_car_patch, strlen(k_car_patch), TUTTI_NOW) != TUTTI_OK ||
        tutti_set_patch_text(game->engine, k_part_steps, k_step_patch, strlen(k_step_patch), TUTTI_NOW) != TUTTI_OK ||
        tutti_set_patch(game->engine, k_part_music, "warm-pad", TUTTI_NOW) != TUTTI_OK ||
        tutti_sender_create(game->engine, &game->sender) != TUTTI_OK) {
        fprintf(stderr, "%s\n", tutti_last_error(game->engine));
        return false;
    }
    for (int i = 0; i < k_cars; ++i) {
        Car* const car = &game->cars[i];
        car->z = i % 2 != 0 ? 6.0f : -6.0f;
        car->x = (float)(i * 37 % 200) - 100.0f;
        car->speed = (i % 2 != 0 ? 1.0f : -1.0f) * (8.0f + (float)(i * 13 % 17));
        tutti_voice_start_info info = tutti_voice_default();
        info.part = k_part_cars;
        info.key = 31 + i * 5 % 9;
        info.x = car->x;
        info.z = car->z;
        info.near_distance = 3.0f;
        info.far_distance = 80.0f;
        car->voice = tutti_voice_start(game->engine, &info);
    }
    return true;
}

static void move_player(Game* game, float seconds) {
    const Uint8* const keys = SDL_GetKeyboardState(NULL);
    float dx = (float)keys[SDL_SCANCODE_RIGHT] - (float)keys[SDL_SCANCODE_LEFT];
    float dz = (float)keys[SDL_SCANCODE_DOWN] - (float)keys[SDL_SCANCODE_UP];
    if (dx == 0.0f && dz == 0.0f) { // by itself: along the road and across it
        dx = 1.0f;
        dz = sinf(game->x * 0.3f);
    }
    const float length = sqrtf(dx * dx + dz * dz);
    const float way = 1.8f * seconds;
    game->x += dx / length * way;
    game->z += dz / length * way;
    game->walked += way;
    if (game->walked < 0.75f) return;
    game->walked -= 0.75f;
    // The ground is in the note: how bright, how loud, how long.
    const int ground = ground_at(game->x);
    const int key = ground == k_metal ? 84 : ground == k_gravel ? 66 : 54;
    const int32_t id = 100 + game->steps++ % 16;
    tutti_note_on(game->sender, TUTTI_NOW, k_part_steps, key, ground == k_grass ? 0.35 : 0.7, id);
    tutti_note_express(game->sender, TUTTI_NOW, k_part_steps, key, id, TUTTI_LOWPASS,
                       ground == k_metal    ? 9000.0
                       : ground == k_gravel ? 3500.0
                                            : 700.0);
    tutti_note_express(game->sender, TUTTI_NOW, k_part_steps, key, id, TUTTI_PAN, game->steps % 2 != 0 ? -0.2 : 0.2);
}

static void move_cars(Game* game, float seconds) {
    float nearest = 1e9f;
    for (int i = 0; i < k_cars; ++i) {
        Car* const car = &game->cars[i];
        car->x += car->speed * seconds;
        if (car->x - game->x > 100.0f) car->x -= 200.0f;
        if (car->x - game->x < -100.0f) car->x += 200.0f;
        const float dx = car->x - game->x, dz = car->z - game->z;
        const float distance = sqrtf(dx * dx + dz * dz);
        nearest = distance < nearest ? distance : nearest;
        // Doppler: the part of the speed that points at the listener, sound at 343 m/s.
        const float towards = -car->speed * dx / (distance > 1.0f ? distance : 1.0f);
        tutti_voice_move(game->engine, car->voice, car->x, 0.0f, car->z);
        tutti_voice_set(game->engine, car->voice, TUTTI_PITCH, 12.0f * log2f(343.0f / (343.0f - towards)));
    }
    const float place[3] = {game->x, 0.0f, game->z};
    const float right[3] = {1.0f, 0.0f, 0.0f};
    tutti_listener_move(game->engine, place, right);
    const float danger = nearest < 20.0f ? 1.0f - nearest / 20.0f : 0.0f;
    game->danger += (danger - game->danger) * (seconds < 0.5f ? 2.0f * seconds : 1.0f);
    tutti_voices_update(game->engine);
}

// A chord every two seconds; in danger another one, an octave of it on top, and all of it louder.
static void play_music(Game* game, double now) {
    static const int calm[4][3] = {{57, 60, 64}, {53, 57, 60}, {48, 55, 64}, {55, 59, 62}};
    static const int tense[4][3] = {{57, 60, 63}, {53, 56, 59}, {52, 56, 62}, {55, 58, 61}};
    tutti_midi(game->sender, TUTTI_NOW, k_part_music, 0xb0, 7, (uint8_t)(50.0f + 50.0f * game->danger));
    if (now < game->next_chord) return;
    game->next_chord = now + 2.0;
    tutti_notes_off(game->sender, TUTTI_NOW, k_part_music, false);
    const bool danger = game->danger > 0.4f;
    const int* const keys = danger ? tense[game->chord % 4] : calm[game->chord % 4];
    for (int i = 0; i < 3; ++i) {
        const int32_t id = game->chord * 8 + i;
        tutti_note_on(game->sender, TUTTI_NOW, k_part_music, keys[i], 0.5, 1000 + id);
        if (danger) tutti_note_on(game->sender, TUTTI_NOW, k_part_music, keys[i] + 12, 0.4, 1004 + id);
    }
    ++game->chord;
}

static void draw(SDL_Renderer* renderer, const Game* game) {
    static const Uint8 colours[3][3] = {{40, 90, 40}, {110, 100, 90}, {90, 100, 120}};
    for (int column = 0; column < k_width; column += 8) {
        const Uint8* const colour = colours[ground_at(game->x + (float)(column - k_width / 2) / 8.0f)];
        const SDL_Rect stripe = {column, 0, 8, k_height};
        SDL_SetRenderDrawColor(renderer, colour[0], colour[1], colour[2], 255);
        SDL_RenderFillRect(renderer, &stripe);
    }
    for (int i = 0; i < k_cars; ++i) {
        const Car* const car = &game->cars[i];
        const SDL_Rect box = {k_width / 2 + (int)((car->x - game->x) * 8.0f) - 16,
                              k_height / 2 + (int)(car->z * 8.0f) - 8, 32, 16};
        const bool audible = tutti_voice_is_audible(game->engine, car->voice);
        SDL_SetRenderDrawColor(renderer, audible ? 230 : 120, 60, 60, 255); // bright: it sounds
        SDL_RenderFillRect(renderer, &box);
    }
    const SDL_Rect player = {k_width / 2 - 5, k_height / 2 + (int)(game->z * 8.0f) - 5, 10, 10};
    SDL_SetRenderDrawColor(renderer, 255, 255, 255, 255);
    SDL_RenderFillRect(renderer, &player);
    SDL_RenderPresent(renderer);
}

int main(int argc, char** argv) {
    static Game game;
    const double limit = argc > 2 && strcmp(argv[1], "--seconds") == 0 ? atof(argv[2]) : 0.0;
    if (SDL_Init(SDL_INIT_VIDEO | SDL_INIT_AUDIO) != 0) {
        fprintf(stderr, "%s\n", SDL_GetError());
        return 3;
    }
    if (!start_sound(&game)) return 1;
    SDL_AudioSpec wanted = {0};
    wanted.freq = 48000;
    wanted.format = AUDIO_F32SYS;
    wanted.channels = 2;
    wanted.samples = 512;
    wanted.callback = give_sound;
    wanted.userdata = &game;
    const SDL_AudioDeviceID device = SDL_OpenAudioDevice(NULL, 0, &wanted, NULL, 0);
    SDL_Window* const window =
        SDL_CreateWindow("Tutti: a road", SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED, k_width, k_height, 0);
    SDL_Renderer* const renderer = window != NULL ? SDL_CreateRenderer(window, -1, SDL_RENDERER_SOFTWARE) : NULL;
    if (device == 0 || renderer == NULL) {
        fprintf(stderr, "%s\n", SDL_GetError());
        return 3;
    }
    SDL_PauseAudioDevice(device, 0);
    int most_audible = 0, pictures = 0;
    const Uint64 begin = SDL_GetTicks64();
    Uint64 last = begin;
    for (bool running = true; running; ++pictures) {
        SDL_Event event;
        while (SDL_PollEvent(&event)) {
            if (event.type == SDL_QUIT) running = false;
            // Out of focus: the sound fades and time stands still.
            if (event.type == SDL_WINDOWEVENT && event.window.event == SDL_WINDOWEVENT_FOCUS_LOST)
                tutti_pause(game.engine, true);
            if (event.type == SDL_WINDOWEVENT && event.window.event == SDL_WINDOWEVENT_FOCUS_GAINED)
                tutti_pause(game.engine, false);
        }
        const Uint64 now = SDL_GetTicks64();
        const float seconds = (float)(now - last) / 1000.0f;
        last = now;
        move_player(&game, seconds);
        move_cars(&game, seconds);
        play_music(&game, (double)(now - begin) / 1000.0);
        draw(renderer, &game);
        tutti_stats stats = {0};
        stats.struct_size = sizeof stats;
        tutti_get_stats(game.engine, &stats);
        if (stats.audible_voices > most_audible) most_audible = stats.audible_voices;
        if (limit > 0.0 && (double)(now - begin) > limit * 1000.0) running = false;
        SDL_Delay(16);
    }
    SDL_CloseAudioDevice(device);
    const double peak = SDL_AtomicGet(&game.peak) / 1000.0;
    printf("%d pictures, %d steps, %d chords, at most %d cars audible, peak %.2f\n", pictures, game.steps, game.chord,
           most_audible, peak);
    tutti_destroy(game.engine);
    SDL_DestroyRenderer(renderer);
    SDL_DestroyWindow(window);
    SDL_Quit();
    return limit > 0.0 && (peak < 0.01 || game.steps == 0 || most_audible == 0) ? 1 : 0;
}
