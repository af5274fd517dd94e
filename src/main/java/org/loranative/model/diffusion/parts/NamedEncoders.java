package org.loranative.model.diffusion.parts;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.loranative.UserException;
import org.loranative.io.TensorEntry;

/** Text encoders that the user names, each under ComfyUI's name in a whole checkpoint. */
public final class NamedEncoders {
  private static final String KEY = "text_encoder_path";
  private static final String CLIP_L = "text_encoders.clip_l.transformer.";
  private static final String CLIP_G = "text_encoders.clip_g.transformer.";
  private static final String T5 = "text_encoders.t5xxl.transformer.";

  /** What names of a language model's tensors begin with in a whole checkpoint. */
  public static final String LANGUAGE = "text_encoders.qwen3_4b.transformer.";

  /** Widths of OpenAI's and OpenCLIP's towers, which all models have. */
  private static final long L_WIDTH = 768;

  private static final long G_WIDTH = 1280;

  private static final String WRAPPER = "text_model.";
  private static final String TOKENS = "embeddings.token_embedding.weight";

  private final Map<String, TensorEntry> tensors = new LinkedHashMap<>();
  private final Map<String, Path> taken = new LinkedHashMap<>();

  private NamedEncoders() {}

  static Map<String, TensorEntry> read(List<Path> paths) {
    NamedEncoders all = new NamedEncoders();
    for (Path path : paths) {
      PartFiles.under(path, "text_encoder", KEY).forEach(all::add);
    }
    return all.tensors;
  }

  private void add(Path file, Map<String, TensorEntry> own) {
    if (own.containsKey(T5Gguf.TELLTALE)) {
      put(T5, file, T5Gguf.renamed(own));
    } else if (own.containsKey("encoder.block.0.layer.0.SelfAttention.q.weight")) {
      put(T5, file, own);
    } else if (own.containsKey("model.embed_tokens.weight")) {
      put(LANGUAGE, file, own);
    } else if (own.containsKey(WRAPPER + TOKENS)) {
      put(clip(own.get(WRAPPER + TOKENS)), file, own);
    } else if (own.containsKey(TOKENS)) {
      Map<String, TensorEntry> wrapped = new LinkedHashMap<>();
      own.forEach((n, e) -> wrapped.put(n.startsWith("text_projection") ? n : WRAPPER + n, e));
      put(clip(own.get(TOKENS)), file, wrapped);
    } else {
      throw new UserException(
          String.format(
              "%s: %s is neither a CLIP, a T5 nor a language model (it has %s); name the text"
                  + " encoders' files, such as clip_l.safetensors and t5xxl_fp16.safetensors.",
              KEY, file, own.keySet().stream().findFirst().orElse("no tensor")));
    }
  }

  /** CLIP's L or G: by its width, else the first that is named is L. */
  private String clip(TensorEntry embeddings) {
    long width = embeddings.shape().get(1);
    return width == G_WIDTH || width != L_WIDTH && taken.containsKey(CLIP_L) ? CLIP_G : CLIP_L;
  }

  private void put(String root, Path file, Map<String, TensorEntry> own) {
    Path other = taken.put(root, file);
    if (other != null) {
      throw new UserException(
          String.format(
              "%s names the same text encoder twice: %s and %s. Name each once.",
              KEY, other, file));
    }
    own.forEach((name, entry) -> tensors.put(root + name, entry));
  }
}
