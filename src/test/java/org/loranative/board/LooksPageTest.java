package org.loranative.board;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.loranative.image.Picture;
import org.loranative.track.TensorBoard;

/** Every view, wide and narrow, light and dark: it fits, can be read, and breaks no word. */
class LooksPageTest extends InBrowser {
  private static final List<String> VIEWS =
      List.of("charts", "runs", "images", "texts", "data", "machine", "layers", "start");

  /** Texts whose contrast with what lies behind them is below WCAG's AA. */
  private static final String PALE =
      """
      (() => {
        const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
        const rgba = (colour) => {
          canvas.clearRect(0, 0, 1, 1);
          canvas.fillStyle = colour;
          canvas.fillRect(0, 0, 1, 1);
          return [...canvas.getImageData(0, 0, 1, 1).data];
        };
        const over = (a, b) => [0, 1, 2].map((i) => a[i] * a[3] / 255 + b[i] * (1 - a[3] / 255)).concat(255);
        const back = (e) => {
          const chain = [];
          for (let at = e; at; at = at.parentElement) { chain.push(rgba(getComputedStyle(at).backgroundColor)); }
          return chain.reverse().reduce((under, c) => over(c, under), [255, 255, 255, 255]);
        };
        const light = (c) => {
          const [r, g, b] = c.map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const pale = [];
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
          const e = walker.currentNode.parentElement;
          const seen = e.checkVisibility({ opacityProperty: true, visibilityProperty: true });
          if (!walker.currentNode.data.trim() || !seen || e.closest(':disabled, option')) { continue; }
          const behind = back(e);
          const [a, b] = [light(behind), light(over(rgba(getComputedStyle(e).color), behind))].sort((x, y) => y - x);
          const ratio = (a + 0.05) / (b + 0.05);
          if (ratio < 4.5) { pale.push(ratio.toFixed(2) + ' ' + e.className + ': ' + walker.currentNode.data.slice(0, 40)); }
        }
        return pale;
      })()
      """;

  private void write(String name, String kind) throws IOException {
    Path run = folder.resolve(name);
    try (TensorBoard board = WrittenRuns.run(folder, name, 300, kind)) {
      Picture picture = new Picture(8, 8, new float[192]);
      for (int step = 0; step <= 300; step += 100) {
        board.image(step, "samples/1: a star, 星", picture.png(), 8, 8);
      }
      board.scalars(300, Map.of("gpu/utilization", 90.0, "train/total_flos", 1e15));
      board.end(true);
    }
    Files.writeString(run.resolve("config.yaml"), "task_type: llm\n");
    Files.writeString(
        run.resolve("logs/records.jsonl"),
        "{\"record\":\"a.jsonl line"
            + " 3\",\"last\":9.5,\"mean\":9,\"least\":8,\"count\":2,\"last_step\":4}\n");
    Files.writeString(
        run.resolve("logs/token_losses.jsonl"),
        "{\"record\":\"a.jsonl line 3\",\"step\":4,\"loss\":9.5,\"pieces\":[\"Q: \",\"a\",\" b\",\""
            + " c\"],\"losses\":[null,0.1,3,12]}\n");
  }

  @Tag("slow")
  @Test
  void fitsAndCanBeRead() throws IOException {
    write("learns", "learns");
    write("日本語のとても長い実行名前/試行-01", "overfits");
    write(
        "a_very_long_run_name_without_any_break-sweep-lora_rank=128-learning_rate=0.0005-seed=123456",
        "diverges");
    openBoard();
    for (int width : new int[] {390, 1024, 1440}) {
      for (boolean dark : new boolean[] {false, true}) {
        screen(width, width == 390 ? 844 : 1000, dark);
        load("");
        until("the doctor has spoken", () -> !all("#findings summary b").isEmpty());
        browser.executeScript(
            "document.querySelectorAll('main details').forEach(d => d.open = true)");
        for (String view : VIEWS) {
          view(view);
          until(view, () -> !all("#" + view + " .card").isEmpty());
          if (view.equals("data")) {
            all("#data summary").get(0).click();
            until("tokens", () -> !all("#data .token").isEmpty());
          }
          pause(150);
          assertThat((List<?>) js(PALE)).as("%s, %d wide, dark: %s", view, width, dark).isEmpty();
          fits();
          assertThat((Boolean) js(inSight(view))).as("the chosen tab is in sight").isTrue();
          picture("looks-" + view + "-" + width + (dark ? "-dark" : ""));
        }
      }
    }
    noErrors();
  }

  private static String inSight(String view) {
    return "(() => { const b = document.querySelector('nav [data-view="
        + view
        + "]').getBoundingClientRect(); return b.left >= -1 && b.right <="
        + " document.documentElement.clientWidth + 1; })()";
  }

  /** Names break behind their parts, never within a word that fits. */
  @Test
  void breaksNoWord() throws IOException {
    WrittenRuns.run(folder, "experiment-with-several_words/and.another-level", 30, "learns")
        .close();
    openBoard();
    screen(1024, 800, false);
    load("");
    Object broken =
        js(
            "[...document.querySelectorAll('#list .name')].flatMap((name) =>"
                + " [...name.childNodes].filter((n) => n.nodeType === 3).filter((n) => {"
                + " const range = document.createRange(); range.selectNodeContents(n);"
                + " return range.getClientRects().length > 1; }).map((n) => n.data))");
    assertThat((List<?>) broken).isEmpty();
    assertThat(((Number) js("document.querySelector('#list .name').clientHeight")).intValue())
        .as("it is on several lines")
        .isGreaterThan(30);
    noErrors();
  }

  /** Nothing to see is said in words, and how it comes to be. */
  @Test
  void saysWhatToDoWhereThereIsNothing() {
    openBoard();
    for (int width : new int[] {1440, 390}) {
      screen(width, 800, true);
      browser.get("about:blank");
      browser.get(board.address().toString());
      until("says so", () -> all("#empty").get(0).getText().contains("lora-native train"));
      assertThat((List<?>) js(PALE)).isEmpty();
      fits();
    }
    noErrors();
  }
}
