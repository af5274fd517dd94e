package org.loranative.config;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** What the settings of other trainers are called here. */
final class OtherTools {
  /** A name of theirs, and ours with what must be minded, or why there is none. */
  private record Theirs(String ours, String note) {}

  private static final Map<String, Theirs> NAMES = new HashMap<>();

  private OtherTools() {}

  private static void same(String ours, String... theirs) {
    noted(ours, "", theirs);
  }

  private static void noted(String ours, String note, String... theirs) {
    for (String name : theirs) {
      NAMES.put(name, new Theirs(ours, note));
    }
  }

  private static void none(String why, String... theirs) {
    noted("", why, theirs);
  }

  // kohya, OneTrainer, diffusers, TRL and transformers, axolotl, LLaMA-Factory
  static {
    same(
        "base_model",
        "pretrained_model_name_or_path",
        "base_model_name",
        "model_name_or_path",
        "model_name",
        "base_model_name_or_path");
    same(
        "metadata_path",
        "dataset",
        "datasets",
        "dataset_name",
        "dataset_path",
        "train_file",
        "data_path",
        "in_json",
        "dataset_config",
        "concept_file_name",
        "concepts",
        "caption_column");
    same("modules_to_save", "lora_modules_to_save", "additional_target");
    same("add_tokens", "tokens", "new_special_tokens");
    same("train_data_dir", "data_dir", "instance_data_dir", "dataset_dir", "image_dir");
    same("validation_path", "validation_file", "eval_dataset", "test_datasets", "eval_file");
    same("validation_fraction", "val_set_size", "val_size", "validation_split", "test_size");
    same("regularization_path", "reg_data_dir", "class_data_dir");
    same("prior_loss_weight", "prior_preservation_weight");
    same("output_dir", "output_model_destination", "workspace_dir", "logging_dir");
    same("output_name", "save_model_as_name", "output_model_name");
    noted("trigger_word", "before each caption", "instance_prompt", "class_tokens");
    noted("caption_encoding", "utf-8 unless it is set", "caption_encode", "encoding");
    same("max_length", "max_seq_length", "cutoff_len", "sequence_len", "max_seq_len", "block_size");
    same("packing", "sample_packing", "neat_packing");
    noted("train_on", "response or all", "train_on_inputs", "train_on_prompt", "mask_prompt");
    noted("train_on", "response or all", "completion_only_loss", "assistant_only_loss");
    same("data_format", "dataset_type", "chat_template_type", "formatting", "type");
    same("lora_rank", "network_dim", "rank", "lora_r", "r", "lora_dim");
    same("lora_alpha", "network_alpha", "alpha");
    noted(
        "lora_method",
        "lora, dora, loha or lokr",
        "network_module",
        "peft_type",
        "use_dora",
        "algo",
        "lycoris_algo");
    same("lokr_factor", "decompose_factor", "factor", "lycoris_factor");
    same("lora_init", "init_lora_weights", "init_weights");
    same("lora_plus_ratio", "loraplus_lr_ratio", "loraplus_ratio", "lora_plus_lr_ratio");
    same("lora_dropout", "network_dropout", "dropout", "dropout_probability");
    same(
        "lora_targets",
        "target_modules",
        "lora_target_modules",
        "lora_target",
        "lora_target_linear",
        "network_args",
        "lora_layers",
        "layer_filter");
    noted(
        "lora_targets",
        "name text-encoder or unet-attention there",
        "network_train_unet_only",
        "network_train_text_encoder_only",
        "train_text_encoder",
        "train_unet");
    same("use_rslora", "peft_use_rslora", "use_rs_lora");
    same(
        "init_adapter",
        "network_weights",
        "lora_model_name",
        "lora_model_dir",
        "adapter_name_or_path",
        "resume_lora_path",
        "lora_path");
    same("batch_size", "train_batch_size", "per_device_train_batch_size", "micro_batch_size");
    same(
        "gradient_accumulation",
        "gradient_accumulation_steps",
        "gradient_accumulation_step",
        "accumulation_steps");
    same("epochs", "max_train_epochs", "num_train_epochs", "num_epochs", "epoch");
    same("max_steps", "max_train_steps", "num_train_steps", "total_steps", "num_steps");
    same("learning_rate", "lr", "unet_lr", "unet_learning_rate", "base_lr");
    noted(
        "lora_targets",
        "{target: text-encoder, learning_rate: X}",
        "text_encoder_lr",
        "text_encoder_learning_rate",
        "text_encoder_1_learning_rate",
        "text_encoder_lr1",
        "lr_text_encoder");
    same(
        "lr_schedule", "lr_scheduler", "lr_scheduler_type", "learning_rate_scheduler", "scheduler");
    same("warmup_steps", "lr_warmup_steps", "learning_rate_warmup_steps", "num_warmup_steps");
    noted("warmup_steps", "in steps", "warmup_ratio");
    same("lr_cycles", "lr_scheduler_num_cycles", "lr_num_cycles", "learning_rate_cycles");
    same("lr_power", "lr_scheduler_power");
    same("weight_decay", "adam_weight_decay", "optimizer_weight_decay");
    same("optimizer", "optimizer_type", "optim", "use_8bit_adam", "optimizer_args");
    same("ema_decay", "ema", "use_ema", "ema_rate");
    same("max_grad_norm", "clip_grad_norm", "gradient_clipping", "gradient_clip_val");
    same("seed", "random_seed", "data_seed");
    same("resolution", "train_resolution", "image_size", "size", "max_resolution");
    same("flip", "flip_aug", "random_flip", "enable_random_flip", "horizontal_flip");
    same("repeats", "num_repeats", "dataset_repeats", "balancing");
    same("shuffle_caption", "shuffle_tags", "tag_shuffle", "enable_tag_shuffling");
    same("keep_tokens", "keep_n_tokens", "keep_tags", "tag_keep_count");
    same("caption_dropout", "caption_dropout_rate", "dropout_caption", "proportion_empty_prompts");
    same("cache_encodings", "cache_latents", "latent_caching", "cache_text_encoder_outputs");
    same("cache_encodings", "cache_latents_to_disk", "cache_text_encoder_outputs_to_disk");
    same("cache_dir", "vae_cache_dir", "latent_cache_dir");
    same("min_snr_gamma", "snr_gamma", "min_snr", "loss_weight_strength");
    same("noise_offset", "offset_noise_weight", "offset_noise");
    same("debiased_estimation", "debiased_estimation_loss");
    same("multires_noise_discount", "pyramid_noise_discount");
    same("multires_noise_iterations", "pyramid_noise_iterations");
    same("loss", "loss_type", "loss_fn");
    same("zero_snr", "zero_terminal_snr", "rescale_betas_zero_snr");
    same("masked", "masked_loss", "masked_training", "alpha_mask");
    noted("masked", "masks are NAME-mask.png beside each image", "conditioning_data_dir");
    same("huber_c", "huber_delta", "huber_strength");
    same("prediction_type", "v_parameterization", "v_pred", "parameterization");
    noted(
        "compute_dtype",
        "bf16, f16 or f32",
        "mixed_precision",
        "bf16",
        "fp16",
        "train_dtype",
        "dtype",
        "torch_dtype",
        "precision",
        "full_bf16");
    noted("quantize", "nf4", "load_in_4bit", "quantization_bit", "fp8_base", "load_in_8bit");
    noted("quantize", "nf4", "quantization_method", "bnb_4bit_quant_type", "adapter");
    same("threads", "num_cpu_threads_per_process", "max_data_loader_n_workers", "num_workers");
    noted("memory_budget", "activations are recomputed as needed", "gradient_checkpointing");
    noted("memory_budget", "a size such as 8GB", "lowram", "lowvram", "medvram");
    same("save_steps", "save_every_n_steps", "checkpointing_steps", "save_every", "save_freq");
    noted("save_steps", "in steps", "save_every_n_epochs", "save_strategy", "saves_per_epoch");
    same("keep_checkpoints", "save_total_limit", "checkpoints_total_limit", "save_last_n_steps");
    same(
        "eval_steps",
        "validate_every_n_steps",
        "validation_steps",
        "eval_every",
        "evals_per_epoch");
    same("early_stop", "early_stopping_patience", "patience");
    same("export_format", "save_model_as", "output_model_format");
    same("sample_prompts", "validation_prompt", "sample_prompt", "validation_prompts", "prompts");
    same("sample_steps", "sample_every_n_steps", "sample_every", "sample_after");
    same("sample_max_tokens", "max_new_tokens");
    same("tokenizer_path", "tokenizer_name", "tokenizer");
    noted("device", "auto, cpu or cuda", "no_cuda", "use_cpu", "train_device", "cuda");
    noted("task_type", "llm or sd", "stage", "task", "finetuning_type", "training_method");
    same("vae_path", "vae", "pretrained_vae_model_name_or_path", "ae");
    same("text_encoder_path", "clip_l", "clip_g", "t5xxl", "text_encoder_paths");
    same("flow_shift", "discrete_flow_shift", "training_shift");
    same("guidance_embed", "guidance_scale");
    none("the VAE needs no choice here", "no_half_vae", "vae_batch_size");
    none("LoRA is what is trained", "train_type", "model_type", "use_peft");
    none(
        "attention needs no choice here",
        "xformers",
        "sdpa",
        "flash_attention",
        "flash_attn",
        "enable_xformers_memory_efficient_attention",
        "attention_mechanism",
        "mem_eff_attn");
    none(
        "bucketing is always on; resolution gives the size",
        "enable_bucket",
        "bucket_reso_steps",
        "min_bucket_reso",
        "max_bucket_reso",
        "bucket_no_upscale",
        "aspect_ratio_bucketing",
        "center_crop");
    none("logs are always written", "log_with", "report_to", "logging_steps", "wandb_project");
    none("--resume continues a run", "resume", "resume_from_checkpoint", "save_state");
    noted("clip_skip", "one less than kohya's scripts count", "text_encoder_layer_skip");
    none("each caption has at most the tokens of its encoder", "max_token_length");
    none("rows are never padded", "pad_to_sequence_len", "group_by_length", "padding_side");
    none(
        "single rows of the embedding are not trained; modules_to_save: [embed_tokens] trains all"
            + " of it",
        "trainable_token_indices");
    none("checkpoints and adapters are f32", "save_precision", "output_dtype");
  }

  /** What to write instead of another trainer's name; empty if none has it. */
  static Optional<String> hint(String key) {
    return Optional.ofNullable(NAMES.get(key.toLowerCase(java.util.Locale.ROOT).replace('-', '_')))
        .map(
            t ->
                t.ours.isEmpty()
                    ? "There is no such setting: " + t.note + "."
                    : "Here it is \""
                        + t.ours
                        + "\""
                        + (t.note.isEmpty() ? "" : " (" + t.note + ")")
                        + ".");
  }

  /** The names here that the table leads to. */
  static java.util.Set<String> ours() {
    return NAMES.values().stream()
        .map(Theirs::ours)
        .filter(o -> !o.isEmpty())
        .collect(java.util.stream.Collectors.toSet());
  }

  /** The names that the table knows. */
  static java.util.Set<String> theirs() {
    return NAMES.keySet();
  }
}
