package org.loranative.gpucheck;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import javax.imageio.ImageIO;

/** A model in diffusers' layout, with the tokenizer and the noise of emoji-sd, and images. */
record DiffusionFolder(RandomModel model, DiffusionShapes shapes) {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path EMOJI = Path.of("models/emoji-sd");
  private static final int TEXT_LAYERS = 2; // texts are encoded once, before the first step
  private static final int VOCAB = 1024;

  Path write(Path folder) throws IOException {
    model.tensors(folder.resolve("unet/diffusion_pytorch_model.safetensors"), shapes.unet());
    json(folder.resolve("unet/config.json"), unetConfig());
    model.tensors(folder.resolve("vae/diffusion_pytorch_model.safetensors"), shapes.vae());
    json(folder.resolve("vae/config.json"), vaeConfig());
    encoder(folder.resolve("text_encoder"), shapes.textWidth(), false);
    copy(EMOJI.resolve("tokenizer"), folder.resolve("tokenizer"));
    if (shapes.isXl()) {
      encoder(folder.resolve("text_encoder_2"), shapes.pooled(), true);
      copy(EMOJI.resolve("tokenizer"), folder.resolve("tokenizer_2"));
    }
    copy(EMOJI.resolve("scheduler"), folder.resolve("scheduler"));
    Files.writeString(folder.resolve("model_index.json"), "{}\n");
    return folder;
  }

  private ObjectNode unetConfig() {
    ObjectNode c = JSON.createObjectNode();
    c.put("in_channels", 4).put("out_channels", 4).put("layers_per_block", DiffusionShapes.RESNETS);
    c.put("cross_attention_dim", shapes.context());
    ArrayNode down = c.putArray("down_block_types");
    ArrayNode up = c.putArray("up_block_types");
    ArrayNode blocks = c.putArray("transformer_layers_per_block");
    int levels = shapes.channels().size();
    for (int i = 0; i < levels; i++) {
      down.add((shapes.blocks().get(i) > 0 ? "CrossAttn" : "") + "DownBlock2D");
      up.add((shapes.blocks().get(levels - 1 - i) > 0 ? "CrossAttn" : "") + "UpBlock2D");
      blocks.add(Math.max(1, shapes.blocks().get(i)));
    }
    shapes.channels().forEach(c.putArray("block_out_channels")::add);
    shapes.heads().forEach(c.putArray("attention_head_dim")::add);
    c.put("use_linear_projection", true);
    if (shapes.isXl()) {
      c.put("addition_embed_type", "text_time")
          .put("addition_time_embed_dim", DiffusionShapes.SIZE_EMBEDDING)
          .put(
              "projection_class_embeddings_input_dim",
              shapes.pooled() + 6 * DiffusionShapes.SIZE_EMBEDDING);
    }
    return c;
  }

  private ObjectNode vaeConfig() {
    ObjectNode c = JSON.createObjectNode();
    c.put("latent_channels", 4).put("layers_per_block", DiffusionShapes.RESNETS);
    ArrayNode channels = c.putArray("block_out_channels");
    ArrayNode down = c.putArray("down_block_types");
    ArrayNode up = c.putArray("up_block_types");
    for (int width : shapes.vaeChannels()) {
      channels.add(width);
      down.add("DownEncoderBlock2D");
      up.add("UpDecoderBlock2D");
    }
    return c;
  }

  private void encoder(Path folder, int width, boolean second) throws IOException {
    model.tensors(
        folder.resolve("model.safetensors"),
        DiffusionShapes.clip(width, TEXT_LAYERS, VOCAB, second));
    ObjectNode c = JSON.createObjectNode();
    c.putArray("architectures").add(second ? "CLIPTextModelWithProjection" : "CLIPTextModel");
    c.put("hidden_size", width)
        .put("intermediate_size", 4 * width)
        .put("projection_dim", width)
        .put("num_hidden_layers", TEXT_LAYERS)
        .put("num_attention_heads", Math.max(1, width / 64))
        .put("vocab_size", VOCAB)
        .put("bos_token_id", VOCAB - 2)
        .put("eos_token_id", VOCAB - 1)
        .put("hidden_act", second ? "gelu" : "quick_gelu");
    json(folder.resolve("config.json"), c);
  }

  private static void json(Path file, ObjectNode node) throws IOException {
    Files.createDirectories(file.getParent());
    JSON.writeValue(file.toFile(), node);
  }

  private static void copy(Path from, Path to) throws IOException {
    Files.createDirectories(to);
    try (var files = Files.list(from)) {
      for (Path file : files.toList()) {
        Files.write(to.resolve(file.getFileName()), Files.readAllBytes(file));
      }
    }
  }

  /** Images of random colours with captions. */
  static Path images(Path folder, int count, int side) throws IOException {
    Files.createDirectories(folder);
    Random random = new Random(11);
    StringBuilder csv = new StringBuilder("filename,prompt\n");
    List<String> words = List.of("cat", "face", "star", "grinning", "red");
    for (int i = 0; i < count; i++) {
      BufferedImage image = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
      for (int y = 0; y < side; y++) {
        for (int x = 0; x < side; x++) {
          image.setRGB(x, y, random.nextInt());
        }
      }
      ImageIO.write(image, "png", folder.resolve(i + ".png").toFile());
      csv.append(i).append(".png,").append(words.get(i % words.size())).append('\n');
    }
    Files.writeString(folder.resolve("metadata.csv"), csv);
    return folder;
  }
}
