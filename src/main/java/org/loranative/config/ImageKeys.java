package org.loranative.config;

import static org.loranative.config.Allowed.POSITIVE;
import static org.loranative.config.Allowed.between;
import static org.loranative.config.Key.choice;
import static org.loranative.config.Key.flag;
import static org.loranative.config.Key.number;
import static org.loranative.config.Key.path;
import static org.loranative.config.Key.paths;
import static org.loranative.config.Key.text;
import static org.loranative.config.Key.whole;

import java.util.List;
import java.util.stream.Stream;

/** Settings of training on images. */
final class ImageKeys {
  private ImageKeys() {}

  static Stream<Key> all() {
    return Stream.of(
        whole(
                "resolution",
                0,
                between(0, 1 << 14),
                "Images are brought to about this side squared.")
            .images(512)
            .more(
                "To the size of nearest ratio with sides in steps of 64 and an area of at most"
                    + " resolution² (Lanczos, the middle kept)."),
        path(
                "tokenizer_path",
                "Tokenizers that are neither with the base nor CLIP's own, which is built in.")
            .such("models/FLUX.1-dev")
            .more("A folder with `tokenizer`, `tokenizer_2` … in it, or with one tokenizer."),
        paths(
                "text_encoder_path",
                "Text encoders, where a checkpoint of one file does not hold them.")
            .such("[models/clip_l.safetensors, models/t5xxl_fp16.safetensors]")
            .more(
                "`.safetensors` and `.gguf` files, folders of them, or a model in diffusers'"
                    + " layout."),
        path("vae_path", "The VAE, where the base has none or another is wanted.")
            .such("models/ae.safetensors")
            .more("A file, or a folder in diffusers' layout."),
        choice(
            "prediction_type",
            List.of("auto", "epsilon", "v_prediction"),
            "What the base predicts, where it does not say or says it wrongly."),
        flag("zero_snr", false, "Rescale the noise schedule so that it ends in pure noise.")
            .more(
                "Lin et al. 2024, as diffusers' `rescale_betas_zero_snr`; the base must predict v,"
                    + " or learn to. Files with the mark `ztsnr` and configs that say so have it"
                    + " already. Previews, and `sample --zero-snr`, then begin at the last"
                    + " timestep."),
        whole(
                "clip_skip",
                0,
                between(0, 100),
                "Last layers of the text encoders that are left out.")
            .such("1")
            .more(
                "As `sample --clip-skip`, and in previews; what kohya's scripts and A1111 call clip"
                    + " skip 2 is 1 here."),
        path(
                "regularization_path",
                "Captioned pictures of the class in general (prior preservation).")
            .such("data/dogs-in-general")
            .more("An epoch takes as many of them as of the others."),
        number("prior_loss_weight", 1, between(0, 1e6), "Weight of the loss on those pictures."),
        whole("repeats", 1, between(1, 10_000), "How often an epoch takes each image."),
        text("trigger_word", "", "Put before captions that lack it as a whole word.")
            .such("sks style")
            .more("Also those of `validation_path`."),
        text("caption_encoding", "utf-8", "Encoding of captions without a byte-order mark.")
            .form(
                new Allowed.Form(
                    name -> CharsetName.find(name).isPresent(),
                    "an encoding such as utf-8, gbk or shift_jis"))
            .such("gbk"),
        flag("shuffle_caption", false, "The parts between commas in another order each time."),
        whole("keep_tokens", 0, between(0, 1000), "How many first parts `shuffle_caption` leaves."),
        flag("flip", false, "Each crop mirrored too."),
        flag("random_crop", false, "Four places drawn by `seed` instead of the middle."),
        text("background", "#ffffff", "What transparent images are shown on.")
            .form(Allowed.Form.matching("#[0-9a-fA-F]{6}", "a colour such as \"#ffffff\"")),
        flag("masked", false, "Learn only what each image's mask shows in white.")
            .more(
                "A PNG of the image's size beside it, `NAME-mask.png` for the image `NAME.jpg`, or"
                    + " else its alpha channel; one that has neither is learnt as a whole. See"
                    + " [masks](images.md#masks)."),
        number(
            "unmasked_weight",
            0,
            between(0, 1),
            "How much of the loss counts at least where a mask is dark."),
        flag("strict_data", false, "Refuse doubtful images instead of warning: `--strict`."),
        flag("cache_encodings", true, "Keep latents and text states on disk.")
            .more(
                "Named by the hash of image, model and transform: a second run starts at once, a"
                    + " changed image is encoded anew."),
        path("cache_dir", "Where `cache_encodings` keeps them.")
            .more("Else in `.lora-native-cache` in the data folder.")
            .shown("in the data folder")
            .mark(Mark.PLACE)
            .such("/tmp/encodings"),
        number("min_snr_gamma", 0, between(0, 1e6), "Weigh timesteps by min(SNR, γ)/SNR; 0 is off.")
            .such("5")
            .more("For v models /(SNR + 1) (Hang et al. 2023); 5 is usual."),
        number(
            "noise_offset",
            0,
            between(0, 1),
            "So much of one number for each image and channel is added to the noise."),
        whole(
                "multires_noise_iterations",
                0,
                between(0, 16),
                "How many coarser layers of noise are added.")
            .such("6"),
        number(
            "multires_noise_discount",
            0.8,
            between(0, 1),
            "How much weaker each of these layers is than the one before."),
        path("noise_replay", "A file of noise and timesteps to train with.")
            .such("noise.safetensors")
            .more(
                "Safetensors with `noise` f32 [batches, B, C, h, w] (NCHW, at the latents' size)"
                    + " and `timesteps` i64 [batches, B] (flow matching: or `sigmas` f32): batch n"
                    + " of the run reads row n, and latents are the VAE's mean, for exact"
                    + " comparison with other trainers; use `shuffle: false`."),
        whole("min_timestep", 0, between(0, (1 << 16) - 1), "The first timestep that is drawn."),
        whole("max_timestep", 1000, between(1, 1 << 16), "Timesteps are drawn below this one."),
        choice("loss", List.of("mse", "huber"), "How the error of a prediction counts.")
            .more("`huber`: 2c(√(d² + c²) − c)."),
        number("huber_c", 0.1, POSITIVE, "The c of `loss: huber`."),
        flag("debiased_estimation", false, "Weigh timesteps by 1/√min(SNR, 1000).")
            .more("For v models by 1/(min(SNR, 1000) + 1)."),
        choice(
                "timestep_sampling",
                List.of(
                    "auto", "uniform", "logit_normal", "sigmoid", "mode", "shift", "flux_shift"),
                "How noisy images of flow matching are shown.")
            .more(
                "`auto`: `logit_normal`, as the communities of Stable Diffusion 3 and FLUX.1 train,"
                    + " and `sigmoid` for Chroma."
                    + " `sigmoid` is that without a shift, `shift` is kohya's name for it,"
                    + " `flux_shift` shifts by the image's size. See [flow"
                    + " matching](images.md#flow-matching)."),
        number(
                "flow_shift",
                0,
                between(0, 100),
                "Shifts flow matching towards noise; 0 is the base's.")
            .such("3")
            .more("σ becomes sσ / (1 + (s − 1)σ)."),
        choice(
                "loss_weighting",
                List.of("none", "sigma_sqrt", "cosmap"),
                "How much the loss of flow matching counts at σ.")
            .more("`sigma_sqrt`: σ⁻²; `cosmap`: 2 / (π(1 − 2σ + 2σ²)) (Esser et al. 2024)."),
        number(
                "guidance_embed",
                1,
                between(0, 100),
                "The guidance that a distilled model (FLUX.1 dev) is told while it learns.")
            .more("1 is what its community trains with; pictures are drawn with 3.5."),
        number(
            "caption_dropout",
            0,
            between(0, 1),
            "Share of images that are shown without their caption."));
  }
}
