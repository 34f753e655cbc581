package labeler

import (
	"math"
	"slices"
	"testing"

	"tinygpt/data/instruct"
)

// questions are pairs of answers of several qualities.
func questions(p *Panel) (list []Question, prompts []instruct.Prompt) {
	w := instruct.NewWorld(5, 0.02)
	prompts = w.Prompts(instruct.Reward, false)[:300]
	for i := range prompts {
		pr := &prompts[i]
		other := prompts[(i+1)%len(prompts)].Demonstration
		for _, pair := range [][2]string{{pr.Demonstration, other}, {pr.Demonstration, instruct.Unknown}, {other, instruct.Unknown}} {
			if pair[0] != pair[1] {
				list = append(list, p.Ask(pr, pair[0], pair[1]))
			}
		}
	}
	return list, prompts
}

// Two labelers agree on as many pairs as the paper's, in expectation and when drawn.
func TestCalibrate(t *testing.T) {
	p := &Panel{Labelers: New(1, Count, false)}
	list, prompts := questions(p)
	if err := p.Calibrate(list); err != nil {
		t.Fatal(err)
	}
	if a := p.Agreement(list); math.Abs(a-Agreement) > 1e-6 {
		t.Errorf("labelers agree on %.4f of pairs, want %.4f", a, Agreement)
	}
	agree, n := 0, 0
	for i := range prompts {
		pr := &prompts[i]
		answers := []string{pr.Demonstration, prompts[(i+1)%len(prompts)].Demonstration, instruct.Unknown}
		if answers[0] == answers[1] || answers[0] == answers[2] || answers[1] == answers[2] {
			continue
		}
		for k := range 20 {
			a, b := p.Rank(k, pr, answers, uint64(i*100+k)), p.Rank(k+20, pr, answers, uint64(i*100+k))
			for _, pair := range [][2]int{{0, 1}, {0, 2}, {1, 2}} {
				n++
				if (a[pair[0]] < a[pair[1]]) == (b[pair[0]] < b[pair[1]]) {
					agree++
				}
			}
		}
	}
	if share := float64(agree) / float64(n); math.Abs(share-Agreement) > 0.03 {
		t.Errorf("drawn labelers agree on %.3f of pairs", share)
	}
	if c := p.Ceiling(list); c < Agreement || c > 1 {
		t.Errorf("ceiling %.3f is below the agreement", c)
	}
}

func TestRank(t *testing.T) {
	p := &Panel{Labelers: New(1, 1, false), Noise: 1e-9}
	w := instruct.NewWorld(2, 0.01)
	pr := &w.Prompts(instruct.SFT, false)[0]
	answers := []string{"x", pr.Demonstration, "x"}
	if got := p.Rank(0, pr, answers, 1); !slices.Equal(got, []int{1, 0, 1}) {
		t.Errorf("ranks %v, want the demonstration first and equal answers tied", got)
	}
}

// Those held out prefer the shorter of two equally good answers, the others the longer.
func TestLength(t *testing.T) {
	pr := &instruct.Prompt{Task: instruct.Quiz, Messages: []instruct.Message{{Role: instruct.User, Content: "?"}}, Truth: instruct.Truth{Answer: "yes"}}
	long, short := "no, no, no, no, no, no, no, no", "no"
	count := func(list []Labeler) (n int) {
		for i := range list {
			if list[i].Utility(pr, long) > list[i].Utility(pr, short) {
				n++
			}
		}
		return n
	}
	if with, without := count(New(1, Count, false)), count(New(1, HeldOut, true)); with < Count-2 || without > 1 {
		t.Errorf("%d of %d like the longer answer, of those held out %d of %d", with, Count, without, HeldOut)
	}
}
