package org.loranative.board;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpHandler;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.testing.TinyModel;
import org.loranative.track.RunStatus;
import org.loranative.track.TensorBoard;
import org.loranative.web.LocalServer;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;

/** What is done from the page: real runs of a tiny model, started, asked, stopped and resumed. */
class ActionsPageTest extends InBrowser {
  @TempDir private Path elsewhere;

  private static void type(String setting, Object value) {
    WebElement field = browser.findElement(By.id("set-" + setting));
    field.clear();
    field.sendKeys(value.toString());
  }

  private void press(String text) {
    all("dialog button").stream()
        .filter(b -> b.getText().equals(text))
        .findFirst()
        .orElseThrow()
        .click();
  }

  private static boolean says(String selector, String words) {
    return all(selector).stream().anyMatch(e -> e.getText().contains(words));
  }

  private void add(String name, int steps) {
    type("output_dir", folder.resolve(name));
    type("max_steps", steps);
    until("nothing is wrong", () -> browser.findElement(By.cssSelector(".strong")).isEnabled());
    browser.findElement(By.cssSelector("button.strong")).click();
    until(name + " is in the queue", () -> says("#start .job summary", name));
  }

  @Tag("slow")
  @Test
  void trainsFromThePage() throws IOException {
    Path base = TinyModel.write(elsewhere.resolve("base"));
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      lines.add(String.format("{\"prompt\":\"what is %d? \",\"completion\":\"%d\"}", i, i * i % 7));
    }
    Path data = Files.write(elsewhere.resolve("train.jsonl"), lines);
    openBoard();
    screen(1440, 1000, false);
    browser.get(board.address() + "#view=start");
    until("the form", () -> all("#start .fields label").size() > 40);
    type("metadata_path", data);
    type("lora_rank", -3);
    type("base_model", base);
    until("says what is wrong", () -> says("#start .problem", "lora_rank"));
    assertThat(browser.findElement(By.cssSelector("button.strong")).isEnabled()).isFalse();
    type("lora_rank", 4);
    type("learning_rate", "0.001");
    type("sample_prompts", "[what is 3]");
    add("first", 1_000_000);
    add("second", 3);
    until("one runs", () -> says("#start .job", "running"));
    assertThat(says("#start .job", "waiting")).as("the other waits").isTrue();
    picture("queue");

    view("runs");
    until("it trains", () -> says("#runs tr", "running"));
    browser.findElement(By.cssSelector("[data-focus='run first']")).click();
    until("its page", () -> says("dialog button", "Save now"));
    Path first = folder.resolve("first");
    press("Save now");
    until("a checkpoint", () -> has(first, "checkpoint-"));
    press("Sample now");
    press("Stop");
    until("it says so", () -> says("dialog .pairs", "stopped"));
    picture("run-page");
    press("Resume");
    until("it is said", () -> says("#said", "first is in the queue"));
    press("Close");
    view("texts");
    until("what it answered", () -> says("#texts", "what is 3"));
    view("start");
    until("the second is done", () -> says("#start .job", "finished second"));
    until("the first goes on", () -> says("#start .job", "running first"));
    view("runs");
    until("both are runs", () -> says("#runs tr", "second"));
    until("it runs again", () -> says("#runs tr", "running"));
    browser.findElement(By.cssSelector("[data-focus='run first']")).click();
    until("its page", () -> says("dialog button", "Stop"));
    long stopped = newest(first);
    until("it learns more", () -> says("dialog .pairs", " of 1000000") && step() > stopped);
    press("Stop");
    until("it stops", () -> says("dialog .pairs", "stopped"));
    assertThat(newest(first)).as("a checkpoint of where it was resumed to").isGreaterThan(stopped);
    press("Close");
    Files.delete(data); // a run keeps the text of its hardest records
    view("data");
    until("its records", () -> !all("#data details").isEmpty());
    all("#data details summary").get(0).click();
    until("token by token", () -> all("#data .token").size() > 6);
    assertThat(all("#data .tokens").get(0).getText()).startsWith("what is ");
    assertThat(all("#data .tokens .prompt")).as("what was asked is not learnt").isNotEmpty();
    assertThat(all("#data .tokens .token").get(0).getAttribute("title")).startsWith("loss ");
    picture("tokens");
    noErrors();
  }

  private static long step() {
    Object text =
        js(
            "[...document.querySelectorAll('dialog tr')].find(r => r.cells[0].textContent =="
                + " 'step').cells[1].textContent");
    return Long.parseLong(text.toString().replaceFirst(" of .*", ""));
  }

  private static boolean has(Path folder, String prefix) {
    return Optional.ofNullable(folder.toFile().list()).stream()
        .flatMap(java.util.Arrays::stream)
        .anyMatch(n -> n.startsWith(prefix));
  }

  private static long newest(Path run) {
    return java.util.Arrays.stream(run.toFile().list())
        .filter(n -> n.matches("checkpoint-\\d+"))
        .mapToLong(n -> Long.parseLong(n.substring("checkpoint-".length())))
        .max()
        .orElse(0);
  }

  /** The browser tells of a finding while a run goes on, and of its end, once each. */
  @Test
  void notifies() throws IOException {
    Object script =
        browser
            .executeCdpCommand(
                "Page.addScriptToEvaluateOnNewDocument",
                Map.of(
                    "source",
                    "window.told = []; window.Notification = class { static permission ="
                        + " 'default'; static requestPermission() { this.permission = 'granted';"
                        + " return Promise.resolve('granted'); } constructor(title, of) {"
                        + " window.told.push(of.body); } };"))
            .get("identifier");
    try (TensorBoard run = WrittenRuns.run(folder, "live", 100, "learns")) {
      Files.writeString(folder.resolve("live/config.yaml"), "task_type: llm\n");
      RunStatus status = RunStatus.ofThisProcess(900, 0);
      status.write(folder.resolve("live/logs"));
      openBoard();
      screen(1440, 1000, false);
      loadCharts("");
      until("it runs", () -> says("#list", "running"));
      browser.findElement(By.id("bell")).click();
      until("asked and allowed", () -> says("#bell", "Notifying"));
      WrittenRuns.points(run, 101, 400, "diverges");
      until("a finding", () -> told().stream().anyMatch(t -> t.contains("divergence")));
      status.ended(RunStatus.State.FAILED, "no space left").write(folder.resolve("live/logs"));
      until("the end", () -> told().contains("live: failed, no space left"));
      pause(1500);
      assertThat(told()).doesNotHaveDuplicates();
      browser.findElement(By.id("bell")).click();
      until("no more", () -> !says("#bell", "Notifying"));
      noErrors();
    } finally {
      browser.executeCdpCommand(
          "Page.removeScriptToEvaluateOnNewDocument", Map.of("identifier", script));
    }
  }

  private static List<String> told() {
    return ((List<?>) js("window.told")).stream().map(Object::toString).toList();
  }

  /** A page elsewhere, open in the same browser, has nothing done: not by fetch, not by a form. */
  @Test
  void doesNothingForAPageElsewhere() throws IOException {
    WrittenRuns.run(folder, "one", 30, "learns").close();
    openBoard();
    screen(1440, 1000, false);
    load("");
    String to = board.address() + "api/do/marks";
    String page =
        "<form id=f method=post enctype=text/plain action='"
            + to
            + "' target=t>"
            + "<input name='{\"run\":\"one\",\"note\":\"by form\",\"x\":\"' value='\"}'></form>"
            + "<iframe name=t></iframe><script>const to = '"
            + to
            + "';"
            + "const body = '{\"run\":\"one\",\"note\":\"by fetch\"}';"
            + "async function go() { const out = [];"
            + "for (const o of [{mode: 'no-cors'}, {mode: 'no-cors', headers: {'Content-Type':"
            + " 'text/plain'}}, {headers: {'Content-Type': 'application/json', 'X-Lora-Native':"
            + " 'board'}}]) { try { const r = await fetch(to, {method: 'POST', body, ...o});"
            + " out.push(r.type + r.status); } catch (e) { out.push('refused'); } }"
            + "document.getElementById('f').submit(); return out.join(); }</script>";
    HttpHandler answer =
        exchange -> {
          try (exchange) {
            byte[] body = page.getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "text/html");
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
          }
        };
    try (LocalServer evil = new LocalServer("evil", "127.0.0.1", 0, Optional.empty(), answer)) {
      evil.start();
      for (String host : List.of("127.0.0.1", "localhost")) {
        browser.get("http://" + host + ":" + evil.address().getPort() + "/");
        Object out = browser.executeAsyncScript("go().then(arguments[0])");
        assertThat(out).isEqualTo("opaque0,opaque0,refused");
        pause(500);
        assertThat(folder.resolve("one/board.json")).doesNotExist();
      }
    }
    load("#view=runs");
    until("the table", () -> !all("[data-focus='run one']").isEmpty());
    browser.findElement(By.cssSelector("[data-focus='run one']")).click();
    until("its page", () -> !all("dialog textarea").isEmpty());
    all("dialog textarea").get(0).sendKeys("by hand" + Keys.TAB);
    until("its own page may", () -> Files.exists(folder.resolve("one/board.json")));
    assertThat(Files.readString(folder.resolve("one/board.json"))).contains("by hand");
  }

  /** A board that only shows has no buttons for what it refuses. */
  @Test
  void aReadOnlyBoardOffersNothing() throws IOException {
    WrittenRuns.run(folder, "one", 30, "learns").close();
    Files.writeString(folder.resolve("one/config.yaml"), "task_type: llm\n");
    board =
        new Board(
            new Board.Options(
                List.of(folder), "127.0.0.1", 0, Optional.empty(), true, Optional.empty()));
    screen(390, 844, true);
    load("#view=start");
    until("says why", () -> says("#start", "--read-only"));
    view("runs");
    until("the table", () -> !all("[data-focus='run one']").isEmpty());
    browser.findElement(By.cssSelector("[data-focus='run one']")).click();
    until("its page", () -> says("dialog", "folder"));
    assertThat(all("dialog textarea")).isEmpty();
    assertThat(all("dialog button")).hasSize(1);
    fits();
    noErrors();
  }
}
