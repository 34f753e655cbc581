package quiz
import "testing"
func TestShow(t *testing.T){ for i:=range 14 { d:=Generate(1,i); t.Logf("%.1f bits\n%s\n",d.Bits,d.Text)}
 for _,k:=range Tasks(){ for i:=range 2 {t.Logf("%s %+v",k.Name,k.Example(1,i))}}}
