package org.loranative.model.llm;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.StreamSupport;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.config.ConfigReader;
import org.loranative.config.TrainConfig;
import org.loranative.text.ChatTemplate.Message;
import org.loranative.text.Tokenizer;
import org.loranative.track.Console;
import org.loranative.train.StopSignal;
import org.loranative.train.llm.Answers;
import org.loranative.train.machine.Machine;
import org.loranative.train.runs.TrainRun;

/** The real SmolLM2 answers greedily as transformers does. */
@Tag("slow")
class SmolLm2Test {
  private static final Path MODEL = Path.of("models/cache/SmolLM2-135M-Instruct.Q4_1.gguf");

  @Test
  void greedyAnswersEqualTransformers() throws IOException {
    assertThat(Files.exists(MODEL)).as("./lora-native demo fetches " + MODEL).isTrue();
    JsonNode golden =
        new ObjectMapper()
            .readTree(Path.of("src/test/resources/golden/smollm2_greedy.json").toFile());
    try (Tokenizer tokenizer = LlmBase.open(MODEL).tokenizer();
        Answers answers = new Answers(MODEL, List.of(), Machine.of("cpu", "f32"))) {
      for (JsonNode g : golden) {
        String prompt = g.path("prompt").asText();
        String text =
            tokenizer
                .chatTemplate()
                .orElseThrow()
                .render(List.of(new Message("user", prompt)), true);
        assertThat(tokenizer.encode(text, false).ids()).as(prompt).isEqualTo(ints(g.path("ids")));
        StringBuilder streamed = new StringBuilder();
        String answer =
            answers.answer(Answers.Question.of(prompt), 40, Sampling.greedy(), streamed::append);
        String theirs = g.path("text").asText();
        // An answer that is cut off does not show part of a character.
        assertThat(answer).as(prompt).isEqualTo(theirs.replaceFirst("\uFFFD+$", ""));
        assertThat(streamed.toString()).isEqualTo(answer);
        assertThat(tokenizer.decode(ints(g.path("answer")))).isEqualTo(theirs);
      }
    }
  }

  @Test
  void digitsBehindSpacesAreSplitAsLlamaCppDoes() {
    try (Tokenizer tokenizer = LlmBase.open(MODEL).tokenizer()) {
      int[] ids = tokenizer.encode("a    42", false).ids();
      // One token for the run of spaces, one for each digit.
      assertThat(ids).hasSize(4);
      assertThat(tokenizer.decode(ids)).isEqualTo("a    42");
    }
  }

  /** Blocks stay in the file's 4 and 8 bits; the numbers are the same, and so are the losses. */
  @Test
  void trainsInBlocksAsOnTheirNumbers(@TempDir Path folder) throws IOException {
    List<Double> numbers = losses(folder.resolve("numbers"), "none");
    List<Double> blocks = losses(folder.resolve("blocks"), "keep");
    assertThat(blocks).hasSize(4);
    for (int i = 0; i < blocks.size(); i++) {
      assertThat(blocks.get(i)).isCloseTo(numbers.get(i), Offset.offset(2e-4));
    }
  }

  private static List<Double> losses(Path output, String quantize) throws IOException {
    TrainConfig config =
        ConfigReader.read(
            Optional.empty(),
            List.of(
                "base_model=" + MODEL,
                "metadata_path=models/demo/emoji-chat/train.jsonl",
                "output_dir=" + output,
                "max_length=128",
                "max_steps=4",
                "quantize=" + quantize));
    Console silent = new Console(new PrintStream(OutputStream.nullOutputStream()), false);
    try (TrainRun run = new TrainRun(config)) {
      run.train(false, silent, new StopSignal());
    }
    List<Double> losses = new ArrayList<>();
    for (String line : Files.readAllLines(output.resolve("logs/metrics.jsonl"))) {
      losses.add(new ObjectMapper().readTree(line).path("loss").asDouble());
    }
    return losses;
  }

  private static int[] ints(JsonNode list) {
    return StreamSupport.stream(list.spliterator(), false).mapToInt(JsonNode::asInt).toArray();
  }
}
